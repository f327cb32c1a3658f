// Moments: ms since the epoch, and RFC 3339's text with its zone, from 1970 on. Pure, and so not by
// the language's Date.

const WRITTEN =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(?:Z|([+-])(\d\d):(\d\d))$/;
const DAY_MS = 86_400_000;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Of 400 years, after which the calendar repeats itself. */
const CYCLE_DAYS = 146_097;
/** The end of the year 9999. */
export const MAX_MOMENT_MS = 253_402_300_800_000 - 1;

/** `2026-12-01T00:00:00Z`, `2026-12-01T08:00+08:00`. Undefined: none, or none from 1970 to 9999. */
export function parseMoment(text: string): number | undefined {
  const found = WRITTEN.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map(numberOf);
  const [sign, zoneHour, zoneMinute] = [found[8], numberOf(found[9]), numberOf(found[10])];
  const isClock = hour < 24 && minute < 60 && second < 60 && zoneHour < 24 && zoneMinute < 60;
  if (!isClock || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  const zone = (sign === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  const minutes = hour * 60 + minute - zone;
  const thousandths = Number((found[7] ?? '').padEnd(3, '0'));
  const moment = daysTo(year, month, day) * DAY_MS + minutes * 60_000 + second * 1000 + thousandths;
  return moment >= 0 && moment <= MAX_MOMENT_MS ? moment : undefined;
}

/** In UTC; thousandths only when there are any. */
export function formatMoment(milliseconds: number): string {
  const { year, month, day } = dateOf(Math.floor(milliseconds / DAY_MS));
  const left = milliseconds % DAY_MS;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const thousandths = left % 1000 === 0 ? '' : `.${String(left % 1000).padStart(3, '0')}`;
  const clock = [left / 3_600_000, (left / 60_000) % 60, (left / 1000) % 60].map(two).join(':');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${clock}${thousandths}Z`;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (MONTH_DAYS[month - 1] ?? 0);
}

/** Days from 1970-01-01 to the first of January. */
function daysToYear(year: number): number {
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  return before * 365 + leaps - 719_162;
}

function daysTo(year: number, month: number, day: number): number {
  let days = daysToYear(year) + day - 1;
  for (let each = 1; each < month; each++) days += daysIn(year, each);
  return days;
}

function dateOf(days: number): { year: number; month: number; day: number } {
  let year = 1970 + Math.floor((days * 400) / CYCLE_DAYS);
  while (daysToYear(year) > days) year--;
  while (daysToYear(year + 1) <= days) year++;
  let [month, left] = [1, days - daysToYear(year)];
  for (; left >= daysIn(year, month); month++) left -= daysIn(year, month);
  return { year, month, day: left + 1 };
}

function numberOf(digits: string | undefined): number {
  return Number(digits ?? 0);
}
