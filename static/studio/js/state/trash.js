// @ts-check
/** Applies favourites, deletions and restores of pictures to the cards, wherever they were made. */

import { paintHeart } from "../card/picture-frames.js";
import { isTerminal, pictureKey, taskOf } from "../connection/protocol.js";

/** @import {TaskList} from "../card/task-list.js" */
/** @import {TaskStore} from "./task-store.js" */
/** @import {Picture} from "../connection/protocol.js" */

export class Trash {
  #taskStore;
  #taskList;
  #hidesEmpty;
  /** Deleted pictures by key, for a restore. @type {Map<string, Picture>} */
  #pictures = new Map();

  /**
   * @param {{taskStore: TaskStore, taskList: TaskList, hidesEmpty: boolean}} parts `hidesEmpty`: remove
   *   cards without pictures; not on the page of the task itself
   */
  constructor({ taskStore, taskList, hidesEmpty }) {
    this.#taskStore = taskStore;
    this.#taskList = taskList;
    this.#hidesEmpty = hidesEmpty;
  }

  /** @param {{key: string, favourite: boolean}} detail */
  favourite({ key, favourite }) {
    const taskId = taskOf(key);
    this.#change(taskId, (images) =>
      images.map((image) => (pictureKey(taskId, image) === key ? { ...image, favourite } : image)));
    for (const frame of this.#taskList.recentFrames(key)) paintHeart(frame, favourite);
  }

  /** @param {{keys?: string[], tasks?: string[]}} detail `tasks`: ids of wholly deleted tasks */
  deleted({ keys = [], tasks = [] }) {
    const gone = [...keys, ...tasks.flatMap((taskId) => this.#keysOf(taskId))];
    for (const taskId of new Set(gone.map(taskOf))) {
      this.#change(taskId, (images) => images.filter((image) => {
        const key = pictureKey(taskId, image);
        if (gone.includes(key)) this.#pictures.set(key, image);
        return !gone.includes(key);
      }));
      const { images, status } = this.#taskStore.state(taskId);
      if (this.#hidesEmpty && images.length === 0 && isTerminal(status)) this.#taskList.remove(taskId);
    }
    if (this.#hidesEmpty) for (const taskId of tasks) this.#taskList.remove(taskId);
    this.#hideRecent(gone, true);
  }

  /** @param {{keys?: string[], tasks?: string[]}} detail */
  restored({ keys = [], tasks = [] }) {
    const back = [...this.#pictures.keys()].filter((key) => keys.includes(key) || tasks.includes(taskOf(key)));
    for (const taskId of new Set([...tasks, ...back.map(taskOf)])) {
      const kept = back.filter((key) => taskOf(key) === taskId).flatMap((key) => this.#pictures.get(key) ?? []);
      this.#change(taskId, (images) => [...images, ...kept].sort((a, b) => a.index - b.index));
      this.#taskList.add(taskId, { own: true });
    }
    for (const key of back) this.#pictures.delete(key);
    this.#hideRecent(back, false);
  }

  /** @param {string} taskId */
  #keysOf(taskId) {
    return this.#taskStore.state(taskId).images.map((image) => pictureKey(taskId, image));
  }

  /**
   * @param {string} taskId
   * @param {(images: Picture[]) => Picture[]} change
   */
  #change(taskId, change) {
    if (!this.#taskStore.task(taskId)) return; // a task that this page does not show
    const state = this.#taskStore.state(taskId);
    this.#taskStore.setState({ ...state, images: change(state.images) });
    this.#taskList.repaint(taskId);
  }

  /**
   * @param {string[]} keys
   * @param {boolean} hidden
   */
  #hideRecent(keys, hidden) {
    for (const key of keys) for (const frame of this.#taskList.recentFrames(key)) frame.hidden = hidden;
  }
}
