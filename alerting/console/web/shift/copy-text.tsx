import { useId, useRef, useState } from "preact/hooks";
import { useWords } from "../language.ts";

/** Text to copy by one button. Where the browser lends out no clipboard, it is selected, and a key or a long press does the rest. */
export function CopyText({ text, onInput }: { text: string; onInput?: (text: string) => void }) {
  const words = useWords();
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const [outcome, setOutcome] = useState<"done" | "selected" | null>(null);

  async function copy(): Promise<void> {
    area.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("done");
    } catch {
      // Over plain HTTP there is no clipboard, and it may be refused: the selection stays.
      area.current?.focus();
      area.current?.select();
      setOutcome("selected");
    }
  }

  return (
    <div class="shift-copy">
      <button type="button" class="primary" onClick={() => void copy()}>
        {words.say("shift.copy")}
      </button>
      <p role="status">{outcome && words.say(`shift.copy.${outcome}`)}</p>
      <label for={id}>{words.say("shift.copy.label")}</label>
      <textarea
        id={id}
        ref={area}
        rows={18}
        value={text}
        readOnly={!onInput}
        spellcheck={false}
        onInput={(event) => {
          setOutcome(null);
          onInput?.(event.currentTarget.value);
        }}
      />
    </div>
  );
}
