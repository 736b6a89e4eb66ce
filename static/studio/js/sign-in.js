// @ts-check
/** The sign-in page: what a person who signed out left here goes, and a password can be seen while it is typed. */

import { forgetEverybody } from "./forget.js";

if (new URLSearchParams(location.search).has("signed-out")) forgetEverybody();

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
