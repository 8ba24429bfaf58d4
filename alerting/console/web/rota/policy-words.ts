import type { PolicyStepView } from "../../policies/api.ts";
import type { Words } from "../language.ts";

/** Phones by name, and which of them get no texts. */
export const phonesText = (words: Words, people: readonly { name: string; getsTexts: boolean }[]) =>
  people.length === 0
    ? words.say("rota.nobody")
    : people
        .map(({ name, getsTexts }) => (getsTexts ? name : `${name} (${words.say("rota.no-texts-short")})`))
        .join(", ");

/** `30 s`, `2 min`. */
export function waitText(words: Words, seconds: number): string {
  return seconds % 60 === 0
    ? words.say("rota.wait-minutes", { minutes: seconds / 60 })
    : words.say("rota.wait-seconds", { seconds });
}

/** Whom a step pages, as the policy names them. */
export function stepText(words: Words, { responders, groups, rotas }: PolicyStepView): string {
  return [
    ...(responders.length > 0 ? [phonesText(words, responders)] : []),
    ...rotas.map(({ name, onCall }) => words.say("rota.policy-rota-now", { name, people: phonesText(words, onCall) })),
    ...groups.map(({ id, members }) => `${words.say("rota.way-group", { name: id })} (${phonesText(words, members)})`),
  ].join(" + ");
}
