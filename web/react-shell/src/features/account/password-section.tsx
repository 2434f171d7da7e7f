import { type SubmitEvent, useRef } from "react";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { useToast } from "@/components/ui/toast";
import { useAction } from "@/lib/actions";
import { textOf, useFormFaults } from "@/lib/faults";
import classes from "./account-page.module.css";
import { changePassword } from "./api/change-password";
import { CurrentPassword } from "./current-password";
import { Section } from "./section";
import { inWords } from "./wrong-passwords";

const WORDS = { current: "Enter the password that you have now.", new: "Use 12 characters or more." };

/** A new password also signs out every other device: whoever knew the old one is out. */
export function PasswordSection({ username }: { username: string }) {
  const toast = useToast();
  const form = useRef<HTMLFormElement>(null);
  const action = useAction("change password", async (span, current: string, wanted: string) => {
    await changePassword({ current, new: wanted }, span);
    form.current?.reset();
    toast.show({ title: "Password changed", description: "Every other device is signed out.", tone: "success" });
  });
  const faults = useFormFaults(form, action.error, WORDS);

  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    if (!action.pending && faults.check()) void action.run(textOf(data, "current"), textOf(data, "new"));
  };

  return (
    <Section title="Password" what="When you change it, every other device is signed out. This one stays signed in.">
      <form ref={form} className={classes.form} onSubmit={submit} noValidate>
        {action.error !== null && !faults.explained && <ProblemNotice error={inWords(action.error)} />}
        <CurrentPassword username={username} label="Current password" errors={faults.errors.current} />
        <TextField
          label="New password"
          name="new"
          type="password"
          hint="12 characters or more."
          autoComplete="new-password"
          minLength={12}
          maxLength={128}
          required
          errors={faults.errors.new}
        />
        <Button type="submit" pending={action.pending}>
          Change password
        </Button>
      </form>
    </Section>
  );
}
