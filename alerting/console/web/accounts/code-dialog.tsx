import { useEffect, useId, useRef } from "preact/hooks";
import type { CodeView } from "../../accounts/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords } from "../language.ts";
import { codePage, hrefOf } from "../route.ts";
import { QrCode } from "./qr-code.tsx";

/** A one-time code, to be read out or photographed by its person. It is shown once. */
export function CodeDialog({ made, onClose }: { made: CodeView; onClose(): void }) {
  const words = useWords();
  const now = useServerNow();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const { name, code, until } = made;
  useEffect(() => dialog.current?.showModal(), []);

  const address = new URL(hrefOf(codePage, name, code.replaceAll(" ", "")), location.href).href;
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose} class="accounts-code">
      <h2 id={id}>{words.say("accounts.code-title", { name })}</h2>
      <p>{words.say("accounts.code-how", { name, link: words.say("accounts.have-code") })}</p>
      <p class="accounts-digits">{code}</p>
      <QrCode text={address} label={words.say("accounts.code-qr")} />
      <p>{words.say("accounts.code-until", { time: words.time(until, now) })}</p>
      <p class="warning">{words.say("accounts.code-once")}</p>
      <button type="button" class="primary" onClick={() => dialog.current?.close()}>
        {words.say("accounts.code-done")}
      </button>
    </dialog>
  );
}
