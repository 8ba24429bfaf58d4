import type { RotaChangeView, RotaView, RotaWeek } from "../../rota/api.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import { call } from "../server-calls.ts";
import { ChangePreview } from "./change-preview.tsx";
import { changeText, spanText } from "./rota-words.ts";

interface Props {
  rota: RotaView;
  week: RotaWeek;
  change: RotaChangeView;
  onDone(): Promise<void>;
  onClose(): void;
}

/** Takes back a change that has not begun, or ends one that runs, once it is shown what that makes of the rota. */
export function WithdrawDialog({ rota, week, change, onDone, onClose }: Props) {
  const words = useWords();
  const key = change.state === "ahead" ? "rota.undo" : "rota.end";
  return (
    <FormDialog
      title={words.say(`${key}-title`)}
      submit={words.say(`${key}-short`)}
      onSubmit={async (form) => {
        const acceptGaps = form.get("accept-gaps") === "on";
        await call(`/rotas/${encodeURIComponent(rota.id)}/changes/${change.id}/withdraw`, "POST", { acceptGaps });
        await onDone();
        return undefined;
      }}
      onClose={onClose}
    >
      <p>
        {changeText(words, change, week.people)}, {spanText(words, change)}
      </p>
      <ChangePreview rota={rota} week={week} change={{ kind: "withdrawal", withdraws: change.id }} />
    </FormDialog>
  );
}
