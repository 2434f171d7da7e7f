import { type SubmitEvent, useRef } from "react";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { useToast } from "@/components/ui/toast";
import { useSession } from "@/features/session/session-context";
import { useAction } from "@/lib/actions";
import { textOf, useFormFaults } from "@/lib/faults";
import classes from "./account-page.module.css";
import { changeEmail } from "./api/change-email";
import { CurrentPassword } from "./current-password";
import { Section } from "./section";
import { inWords } from "./wrong-passwords";

const WORDS = { email: "Enter an email address, such as ada@example.org.", current: "Enter the password that you have now." };

/** Asks for the password again: who has the email may get the account. */
export function EmailSection({ email, username }: { email: string; username: string }) {
  const { refresh } = useSession();
  const toast = useToast();
  const form = useRef<HTMLFormElement>(null);
  const action = useAction("change email", async (span, wanted: string, current: string) => {
    const account = await changeEmail({ email: wanted, current }, span);
    toast.show({ title: "Email changed", description: `Orders are confirmed to ${account.email} from now on.`, tone: "success" });
    await refresh({ span });
    form.current?.reset(); // of the same email; with another one this is another form
  });
  const faults = useFormFaults(form, action.error, WORDS);

  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    if (!action.pending && faults.check()) void action.run(textOf(data, "email").trim(), textOf(data, "current"));
  };

  return (
    <Section title="Email" what="Where we confirm your orders to.">
      <form ref={form} className={classes.form} onSubmit={submit} noValidate>
        {action.error !== null && !faults.explained && <ProblemNotice error={inWords(action.error)} />}
        <TextField
          label="Email"
          name="email"
          type="email"
          autoComplete="email"
          defaultValue={email}
          maxLength={254}
          required
          errors={faults.errors.email}
        />
        <CurrentPassword
          username={username}
          label="Your password"
          hint="So that nobody else at this browser can change it."
          errors={faults.errors.current}
        />
        <Button type="submit" pending={action.pending}>
          Change email
        </Button>
      </form>
    </Section>
  );
}
