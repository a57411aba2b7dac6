// The form that creates the workspace, filled in from the sign-up.

import { byId, find } from "../common/dom.js";
import { readList, readWith, setUnchanged } from "../common/form.js";
import { watchKey } from "./key.js";

export const form = find(document, "#workspace", HTMLFormElement);

/** @param {string} name */
const field = (name) => find(form, `[name=${name}]`, HTMLInputElement);

const checkKey = watchKey(field("key"), byId("key-available"));
readWith(field("domains"), readList);

/** @param {any} lead */
export async function fillIn({ email, companyName, address }) {
  field("name").value = companyName;
  field("key").value = companyName.toLowerCase().replace(/[^a-z0-9]/g, "").slice(0, 10);
  field("domains").value = email.slice(email.lastIndexOf("@") + 1).toLowerCase();
  if (address) {
    for (const part of ["address", "zip", "city", "state", "country"]) field(part).value = address[part] ?? "";
    const place = find(form, "#place", HTMLFieldSetElement);
    place.disabled = true;
    find(place, "legend", HTMLElement).textContent = "Address (from sign-up)";
  }
  setUnchanged(form);
  await checkKey();
}
