// Numbers and moments as people say them.

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** @param {string | null} time */
export const when = (time) => (time ? moment.format(new Date(time)) : "–");

/** @param {string | null} time */
export const onDay = (time) => (time ? date.format(new Date(time)) : "–");

/**
 * How long, in one or two units.
 * @param {number} seconds
 */
export function span(seconds) {
  if (seconds < 60) return `${seconds < 10 ? Math.max(seconds, 0).toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(minutes / 1440)} days`;
}

/** @param {string} time */
export function since(time) {
  const seconds = Math.round((new Date(time).getTime() - Date.now()) / 1000);
  /** @type {[Intl.RelativeTimeFormatUnit, number][]} */
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  for (const [unit, size] of units) {
    if (-seconds >= size) return ago.format(Math.trunc(seconds / size), unit);
  }
  return "just now";
}

/**
 * @param {string} from
 * @param {string} to
 */
export const between = (from, to) => span((new Date(to).getTime() - new Date(from).getTime()) / 1000);
