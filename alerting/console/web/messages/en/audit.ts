/** What the page of look-ups says in English. */
export const audit = {
  "audit.title": "Who looked",
  "audit.about":
    "Each time somebody opens a resident's sheet or consents it stands here, with account and key. An alarm explains looks from {minutes} min before it was opened to {minutes} min after it was closed.",
  "audit.month": "Month",
  "audit.account": "Account",
  "audit.everybody": "everybody",
  "audit.key": "Key",
  "audit.sum":
    "{unexplained, plural, =0 {None unexplained} one {# unexplained} other {# unexplained}}, {explained, plural, =0 {none explained} one {# explained} other {# explained}}.",
  "audit.caption": "Looks in {month}, the unexplained first",
  "audit.who": "Account",
  "audit.what": "Saw",
  "audit.why": "Why",
  "audit.none": "Nobody has looked.",
  "audit.left-out": "{count} more are not shown. Choose an account or a key.",
  "audit.what.sheet": "the sheet for the door",
  "audit.what.consents": "consents",
  "audit.unexplained": "UNEXPLAINED: no alarm, no shift",
  "audit.unexplained-unknown": "UNEXPLAINED: no alarm, shift not known",
  "audit.by-alarm": "alarm {codes}",
  "audit.by-shift": "on shift",
  "audit.erased": "erased",
  "audit.nobody": "not known",
  "audit.cli": "on the command line",
};
