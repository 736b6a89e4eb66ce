// @ts-check
/** The pictures of the page behind the viewer, and the one that its address names. */

/** @import {Item} from "./viewer-list.js" */

const IN_ADDRESS = /^#picture=([0-9a-f-]{36}:\d+)$/;

/** @returns {string | null} a picture key */
export const keyInAddress = () => IN_ADDRESS.exec(location.hash)?.[1] ?? null;

/** Every picture that is shown, in the order of the page. @returns {Item[]} */
export const picturesOfPage = () =>
  [...document.querySelectorAll("main a[data-picture-key]")].flatMap((link) => {
    const image = link.querySelector("img");
    if (!(link instanceof HTMLAnchorElement) || !image || !link.checkVisibility()) return [];
    return {
      key: link.dataset.pictureKey ?? "",
      url: link.getAttribute("href") ?? "",
      thumbnail: image.getAttribute("src") ?? "",
      width: Number(image.getAttribute("width")),
      height: Number(image.getAttribute("height")),
      alt: image.alt,
    };
  });
