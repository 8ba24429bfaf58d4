/** What a story must tell of somewhere among some thousand seeds: every trouble, every letter, every way to end. */
export const marks: readonly RegExp[] = [
  ...["crash", "restart", "store-fails", "provider", "jump", "asleep"].map((what) => new RegExp(`"what":"${what}"`)),
  ...["T", "N", "V", "F", "S", "U", "R", "X", "E", "K", "D", "A", "Z", "P", "\\?", "null"].map(
    (letter) => new RegExp(` says ${letter}`),
  ),
  ...["accepted", "retryable", "permanent", "unknown"].map((result) => new RegExp(`\\d ${result}`)),
  ...["sent", "delivered", "undelivered", "failed"].map((status) => new RegExp(`\\d ${status}`)),
  ...["next-page", "arrive", "outcome"].map((due) => new RegExp(` due ${due}`)),
  ...["unknown-code", "code-needed", "stop"].map((effect) => new RegExp(`reply: ${effect}`)),
  ...["take", "on-the-way", "arrived", "cannot", "called-112", "undo", "close"].map(
    (act) => new RegExp(`(eva|omar) does ${act}`),
  ),
  ...["cannot-get-in", "two-needed"].map((act) => new RegExp(`(eva|omar) does ${act} ⇒ .*\\(backup\\)`)),
  /kill -9 before commitStep/,
  /kill -9 after commitStep/,
  /[1-9] pages are sent again/,
  / long-lie ⇒ .*\(alarm\)/,
  / long-lie ⇒ .*\(reminder\)/,
  / opened ⇒ .*\(welfare\)/,
  / movement ⇒ .*\(closed\)/,
  / movement ⇒ .*\(reminder\)/,
  / long-lie(?! ⇒)/,
  /follows the clock/,
];
