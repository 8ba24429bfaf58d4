/** What the page of look-ups says in Swedish. */
export const audit = {
  "audit.title": "Vem har tittat",
  "audit.about":
    "Varje gång någon öppnar en boendes uppgifter eller samtycken står det här, med konto och nyckel. Ett larm förklarar tittar från {minutes} min innan det öppnades till {minutes} min efter att det avslutades.",
  "audit.month": "Månad",
  "audit.account": "Konto",
  "audit.everybody": "alla",
  "audit.key": "Nyckel",
  "audit.sum":
    "{unexplained, plural, =0 {Inga oförklarade} one {# oförklarad} other {# oförklarade}}, {explained, plural, =0 {inga förklarade} one {# förklarad} other {# förklarade}}.",
  "audit.caption": "Tittar i {month}, de oförklarade först",
  "audit.who": "Konto",
  "audit.what": "Såg",
  "audit.why": "Varför",
  "audit.none": "Ingen har tittat.",
  "audit.left-out": "{count} till visas inte. Välj ett konto eller en nyckel.",
  "audit.what.sheet": "uppgifterna till dörren",
  "audit.what.consents": "samtycken",
  "audit.unexplained": "OFÖRKLARAD: inget larm, inget pass",
  "audit.unexplained-unknown": "OFÖRKLARAD: inget larm, okänt om pass",
  "audit.by-alarm": "larm {codes}",
  "audit.by-shift": "på passet",
  "audit.erased": "raderad",
  "audit.nobody": "okänd",
  "audit.cli": "från kommandoraden",
};
