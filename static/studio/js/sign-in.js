// @ts-check
/** The sign-in page: let the person see the password they type. */

const button = document.querySelector("[data-show-password]");
const field = document.getElementById("id_password");

if (button instanceof HTMLButtonElement && field instanceof HTMLInputElement) {
  const show = button.textContent ?? "";
  button.hidden = false;
  button.addEventListener("click", () => {
    const visible = field.type === "password";
    field.type = visible ? "text" : "password";
    button.setAttribute("aria-pressed", String(visible));
    button.textContent = visible ? (button.dataset.hide ?? show) : show;
    field.focus();
  });
}
