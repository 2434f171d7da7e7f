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
import { Section } from "./section";

const WORDS = { email: "Enter an email address, such as ada@example.org." };

export function EmailSection({ email }: { email: string }) {
  const { refresh } = useSession();
  const toast = useToast();
  const form = useRef<HTMLFormElement>(null);
  const action = useAction("change email", async (span, wanted: string) => {
    const account = await changeEmail(wanted, span);
    toast.show({ title: "Email changed", description: `Orders are confirmed to ${account.email} from now on.`, tone: "success" });
    await refresh({ span });
  });
  const faults = useFormFaults(form, action.error, WORDS);

  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const wanted = textOf(new FormData(event.currentTarget), "email").trim();
    if (!action.pending && faults.check()) void action.run(wanted);
  };

  return (
    <Section title="Email" what="Where we confirm your orders to.">
      <form ref={form} className={classes.form} onSubmit={submit} noValidate>
        {action.error !== null && !faults.explained && <ProblemNotice error={action.error} />}
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
        <Button type="submit" pending={action.pending}>
          Change email
        </Button>
      </form>
    </Section>
  );
}
