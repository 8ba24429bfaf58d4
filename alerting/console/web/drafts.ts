import { useEffect } from "preact/hooks";

/** What was typed into a form under which the session ended. In memory alone, and one at most. */
interface Draft {
  form: string;
  values: readonly (readonly [name: string, value: string])[];
}

let owner: string | null = null;
let isEnding = false;
let draft: Draft | null = null;

/** Somebody has logged in. What another account has typed is nobody else's to see. */
export function draftsAreOf(account: string): void {
  if (account !== owner) draft = null;
  owner = account;
  isEnding = false;
}

/** The session is over: what is being typed is kept. */
export function keepDraft(): void {
  isEnding = true;
}

export function forgetDraft(): void {
  draft = null;
}

/** True where something that was typed waits for its form. */
export function hasDraft(): boolean {
  return draft !== null;
}

/** Keeps what was typed into the dialog's form where the session ends under it, and puts it there again when the form is opened anew. Passwords are not kept. */
export function useDraft(dialog: { current: HTMLDialogElement | null }, form: string): void {
  useEffect(() => {
    const fields = dialog.current?.querySelector("form");
    if (!fields) return undefined;
    if (draft?.form === form) {
      fill(fields, draft.values);
      draft = null;
    }
    return () => {
      if (isEnding) draft = { form, values: typedInto(fields) };
    };
  }, []);
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

function fieldsOf(form: HTMLFormElement): Field[] {
  return [...form.elements].filter(
    (one): one is Field =>
      (one instanceof HTMLInputElement && one.type !== "password" && one.type !== "hidden" && one.type !== "file") ||
      one instanceof HTMLTextAreaElement ||
      one instanceof HTMLSelectElement,
  );
}

const isBox = (field: Field): field is HTMLInputElement => field.type === "radio" || field.type === "checkbox";

function typedInto(form: HTMLFormElement): Draft["values"] {
  return fieldsOf(form)
    .filter((field) => (isBox(field) ? field.checked : field.value !== ""))
    .map((field) => [field.name, field.value]);
}

function fill(form: HTMLFormElement, values: Draft["values"]): void {
  for (const field of fieldsOf(form)) {
    const own = values.filter(([name]) => name === field.name).map(([, value]) => value);
    if (isBox(field)) field.checked = own.includes(field.value);
    else if (own[0] !== undefined) field.value = own[0];
    else continue;
    // Whatever of the form follows its fields follows these as well.
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
