// Formats dates, times, durations and prices.

const timeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const dateFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const ageFormat = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** @param {string | null} time */
export const formatTime = (time) => (time ? timeFormat.format(new Date(time)) : "–");

/** @param {string | null} time */
export const formatDate = (time) => (time ? dateFormat.format(new Date(time)) : "–");

/**
 * Formats a duration in one or two units.
 * @param {number} seconds
 */
export function formatDuration(seconds) {
  if (seconds < 60) return `${seconds < 10 ? Math.max(seconds, 0).toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(minutes / 1440)} days`;
}

/** @param {string} time */
export function formatAge(time) {
  const seconds = Math.round((new Date(time).getTime() - Date.now()) / 1000);
  /** @type {[Intl.RelativeTimeFormatUnit, number][]} */
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  for (const [unit, size] of units) {
    if (-seconds >= size) return ageFormat.format(Math.trunc(seconds / size), unit);
  }
  return "just now";
}

/**
 * Formats the duration between two times.
 * @param {string} from
 * @param {string} to
 */
export const durationBetween = (from, to) => formatDuration((new Date(to).getTime() - new Date(from).getTime()) / 1000);

/**
 * Formats a price, with the period that it is for.
 * @param {{ price: string | number, currencyCode: string, billingCycle?: { duration: number, durationUnit: string } }} priced
 */
export function formatPrice({ price, currencyCode, billingCycle }) {
  const amount = new Intl.NumberFormat(undefined, { style: "currency", currency: currencyCode }).format(Number(price));
  if (!billingCycle) return amount;
  const { duration, durationUnit } = billingCycle;
  return duration === 1 ? `${amount} per ${durationUnit}` : `${amount} every ${duration} ${durationUnit}s`;
}
