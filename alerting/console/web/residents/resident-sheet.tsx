import { useEffect, useState } from "preact/hooks";
import type { LoggedIn } from "../../api.ts";
import type { ResidentSheet as Sheet, Sheets } from "../../residents/api.ts";
import { useWords } from "../language.ts";
import { asCallFailed, type CallFailed, call } from "../server-calls.ts";
import { problemText } from "../server-data.tsx";
import { dwellingPath, type OfDwelling, unitBody } from "./dwelling-address.ts";
import { shownPhone } from "./phone.ts";
import { ResidentForm } from "./resident-form.tsx";
import "./sheet.css";

/** A sheet that is left open hides itself after this, ms: long enough to find the door and to call. */
const shownMs = 180_000;

interface Props {
  user: LoggedIn;
  dwelling: OfDwelling;
  /** The alarm that it is opened from. */
  episode?: string;
  /** Something was changed. */
  onChanged?(): void;
}

/**
 * The sheet for the door, of a dwelling's residents. Nothing is fetched until somebody asks for it, for each look is written down; it hides itself after
 * a few minutes, and when the page is left.
 */
export function ResidentSheet({ user, dwelling, episode, onChanged }: Props) {
  const words = useWords();
  const [shown, setShown] = useState<{ residents: Sheet[]; until: number } | null>(null);
  const [isAsking, setAsking] = useState(false);
  const [failure, setFailure] = useState<CallFailed | null>(null);
  const [edited, setEdited] = useState<Sheet | "new" | null>(null);
  const left = useTimeLeft(shown?.until ?? null, () => setShown(null));
  const mayWrite = onChanged !== undefined && user.permissions.includes("residents.write");
  const ofWhat = `${dwelling.key} ${dwelling.unit}`;

  // Another dwelling's page never shows this one's.
  useEffect(() => () => setShown(null), [ofWhat]);
  // The browser may keep a page that was left, and show it again as it was.
  useEffect(() => {
    const leave = () => setShown(null);
    addEventListener("pagehide", leave);
    return () => removeEventListener("pagehide", leave);
  }, []);

  if (!user.permissions.includes("residents.sheet")) return null;

  async function show(): Promise<void> {
    setAsking(true);
    setFailure(null);
    try {
      const body = { ...unitBody(dwelling), ...(episode !== undefined && { episode }) };
      const { residents } = await call<Sheets>(dwellingPath(dwelling, "/sheet"), "POST", body);
      setShown({ residents, until: Date.now() + shownMs });
    } catch (error) {
      setFailure(asCallFailed(error));
    } finally {
      setAsking(false);
    }
  }

  return (
    <section class="sheet" aria-labelledby="sheet-title">
      <h2 id="sheet-title">{words.say("residents.sheet")}</h2>
      {!shown && (
        <>
          <button type="button" class="sheet-open" disabled={isAsking} onClick={() => void show()}>
            {words.say(isAsking ? "form.sending" : "residents.sheet-show")}
          </button>
          <p class="small">{words.say("residents.sheet-about")}</p>
        </>
      )}
      <div role="alert" class="failure">
        {failure && problemText(words, failure)}
      </div>
      {shown && (
        <div class="sheet-shown">
          {shown.residents.length === 0 && <p>{words.say("residents.sheet-none")}</p>}
          {shown.residents.map((resident) => (
            <OneResident key={resident.id} resident={resident}>
              {mayWrite && (
                <button type="button" class="secondary" onClick={() => setEdited(resident)}>
                  {words.say("residents.change")}
                </button>
              )}
            </OneResident>
          ))}
          <div class="sheet-foot">
            <button type="button" class="secondary" onClick={() => setShown(null)}>
              {words.say("residents.sheet-hide")}
            </button>
            <span class="small">{words.say("residents.sheet-hides", { time: left })}</span>
          </div>
        </div>
      )}
      {mayWrite && (
        <button type="button" class="secondary" onClick={() => setEdited("new")}>
          {words.say("residents.add")}
        </button>
      )}
      {edited && (
        <ResidentForm
          dwelling={dwelling}
          resident={edited === "new" ? null : edited}
          onDone={() => {
            setShown(null);
            onChanged?.();
          }}
          onClose={() => setEdited(null)}
        />
      )}
    </section>
  );
}

function OneResident({ resident, children }: { resident: Sheet; children: preact.ComponentChildren }) {
  const words = useWords();
  const { id, name, address, keyCode, route, contacts, flags, note } = resident;
  return (
    <article class="sheet-one" aria-labelledby={`sheet-${id}`}>
      <h3 id={`sheet-${id}`}>{name}</h3>
      {flags.length > 0 && (
        <ul class="sheet-flags" aria-label={words.say("residents.flags")}>
          {flags.map((flag) => (
            <li key={flag}>{words.sayKnown("residents.flag", flag, flag)}</li>
          ))}
        </ul>
      )}
      {note && <p class="sheet-note">{note}</p>}
      <dl>
        {keyCode && (
          <div class="sheet-code">
            <dt>{words.say("residents.key-code")}</dt>
            <dd>{keyCode}</dd>
          </div>
        )}
        {address && (
          <div>
            <dt>{words.say("residents.address")}</dt>
            <dd>{address}</dd>
          </div>
        )}
        {route && (
          <div>
            <dt>{words.say("residents.route")}</dt>
            <dd>{route}</dd>
          </div>
        )}
      </dl>
      {contacts.map((contact) => (
        <a key={`${contact.name} ${contact.phone}`} class="button sheet-call" href={`tel:${contact.phone}`}>
          <b>{words.say("residents.call", { name: contact.name })}</b> <span>{shownPhone(contact.phone)}</span>
        </a>
      ))}
      {children}
    </article>
  );
}

/** Minutes and seconds until then; calls `onEnd` when it is over, also where this page was in the background meanwhile. */
function useTimeLeft(until: number | null, onEnd: () => void): string {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (until === null) return undefined;
    const look = () => {
      setNow(Date.now());
      if (Date.now() >= until) onEnd();
    };
    look();
    const timer = setInterval(look, 1000);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [until]);
  return clockOf(until === null ? 0 : until - now);
}

/** `2:59` */
export function clockOf(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
