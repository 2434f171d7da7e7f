import { type RefObject, useEffect, useState } from "react";
import type { ApiProblem } from "./problem";

export type Faults = Readonly<Record<string, readonly string[]>>;

const NONE: Faults = {};

export interface FormFaults {
  /** Faults by field: what this page found, else what the service answered. */
  readonly errors: Faults;
  /** Looks at the form's fields by their own rules; whether it may be sent. */
  readonly check: () => boolean;
  /** The service's problem has faults, and each belongs to a field that the form shows. */
  readonly explained: boolean;
}

/**
 * The faults of a form, and focus on the first field that has one.
 *
 * `words` says, by field, what a valid value is. The fields' own attributes (required, pattern, …) are the rule here;
 * the service's answer is the rule that counts.
 */
export function useFormFaults(
  form: RefObject<HTMLFormElement | null>,
  problem: ApiProblem | null,
  words: Readonly<Record<string, string>>,
): FormFaults {
  const [found, setFound] = useState(NONE);
  const errors = Object.keys(found).length > 0 ? found : (problem?.errors ?? NONE);

  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [form, errors]);

  return {
    errors,
    check: () => {
      const faults = faultsIn(form.current, words);
      setFound(faults);
      return Object.keys(faults).length === 0;
    },
    explained: Object.keys(errors).length > 0 && Object.keys(errors).every((field) => field in words),
  };
}

function faultsIn(form: HTMLFormElement | null, words: Readonly<Record<string, string>>): Faults {
  const fields = [...(form?.elements ?? [])].filter((element) => element instanceof HTMLInputElement);
  return Object.fromEntries(
    fields
      .filter((field) => field.name !== "" && !isValid(field))
      .map((field) => [field.name, [words[field.name] ?? field.validationMessage]]),
  );
}

/** Browsers look at minlength only after a person typed; a password manager's value counts here too. */
function isValid(field: HTMLInputElement): boolean {
  return field.validity.valid && field.value.length >= field.minLength;
}

/** The text of a form's field. */
export function textOf(form: FormData, field: string): string {
  const value = form.get(field);
  return typeof value === "string" ? value : "";
}
