import { useState } from "preact/hooks";
import type { ShiftPhone, ShiftRota } from "../../../shift/phones.ts";
import type { ShiftNow } from "../../shift/api.ts";
import { useWords, type Words } from "../language.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { PhoneCard } from "./phone-card.tsx";

/** Often enough that an answer shows while whoever answered still looks, ms. */
const everyMs = 2_500;

/** Who has the alarm phone now, by rota; red where nobody is signed on. */
export function ShiftNowPage({ mayWrite }: { mayWrite: boolean }) {
  const words = useWords();
  const data = useServerData<ShiftNow>("/shift", everyMs);
  const [notice, setNotice] = useState<string | null>(null);
  return (
    <>
      <h1>{words.say("shift.title")}</h1>
      <p role="status" class="shift-notice">
        {notice}
      </p>
      <Loaded of={data}>
        {(shift) => (
          <>
            {shift.rotas.length === 0 && <p class="calm">{words.say("shift.no-rota")}</p>}
            {shift.rotas.map((rota) => (
              <section key={rota.id} class="shift-rota" aria-labelledby={`shift-rota-${rota.id}`}>
                <h2 id={`shift-rota-${rota.id}`}>
                  {rota.name}{" "}
                  {rota.unit !== null && !rota.name.includes(rota.unit) && <span class="count">{rota.unit}</span>}
                </h2>
                <Unstaffed rota={rota} />
                <ul class="shift-phones">
                  {rota.phones.map((phone) => (
                    <li key={`${phone.shiftId} ${phone.responderId}`}>
                      <PhoneCard
                        rotaId={rota.id}
                        phone={phone}
                        shift={shift}
                        others={othersOf(rota, shift, phone)}
                        mayWrite={mayWrite}
                        onDone={(said) => {
                          setNotice(said);
                          void data.reload();
                        }}
                      />
                    </li>
                  ))}
                </ul>
                <p class="small">{nextOf(words, rota, shift.now)}</p>
              </section>
            ))}
          </>
        )}
      </Loaded>
    </>
  );
}

/** Whoever is not on call in this shift yet: to whom it can be handed over. */
const othersOf = (rota: ShiftRota, { responders }: ShiftNow, phone: ShiftPhone) =>
  responders.filter(
    ({ id }) => !rota.phones.some((other) => other.shiftId === phone.shiftId && other.responderId === id),
  );

function Unstaffed({ rota }: { rota: ShiftRota }) {
  const words = useWords();
  if (rota.isStaffed) return null;
  const what = rota.phones.length === 0 ? "shift.gap" : "shift.nobody";
  return (
    <p class="shift-alert" role="status">
      <strong>{words.say(what)}</strong>
      <span>{words.say(`${what}.why`)}</span>
    </p>
  );
}

function nextOf(words: Words, { next }: ShiftRota, now: number): string {
  if (!next) return "";
  const time = words.time(next.at, now);
  if (next.names.length === 0) return words.say("shift.next.nobody", { time });
  return words.say("shift.next", { time, names: next.names.join(", ") });
}
