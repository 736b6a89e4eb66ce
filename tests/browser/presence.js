// The page believes to be out of sight when window.away is set; notifications and tones are noted.
// Notifications are allowed: a browser without a window denies them, and shows none.
(() => {
  window.notes = [];
  window.tones = [];
  window.away = false;
  for (const [name, seen, unseen] of [["hidden", false, true], ["visibilityState", "visible", "hidden"]]) {
    Object.defineProperty(document, name, { get: () => (window.away ? unseen : seen) });
  }
  window.leave = (away) => {
    window.away = away;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  const Real = window.Notification;
  window.Notification = class extends Real {
    static get permission() {
      return "granted";
    }
    static requestPermission() {
      return Promise.resolve("granted");
    }
    constructor(title, options) {
      super(title, options);
      window.notes.push({ title, body: options.body, tag: options.tag, note: this });
    }
  };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) {
    window.tones.push(this.frequency.value);
    return start.apply(this, when);
  };
})();
