/** A moment as an input of a date and time has it, by this machine's zone. */
export function localInput(at: number): string {
  const local = new Date(at);
  local.setMinutes(local.getMinutes() - local.getTimezoneOffset());
  return local.toISOString().slice(0, 16);
}

/** The day as an input of a date has it. */
export const dayInput = (at: number) => localInput(at).slice(0, 10);

/** The noon of such a day, so that a zone next door makes no other day of it. */
export const noonOf = (day: string) => new Date(`${day}T12:00`).getTime();
