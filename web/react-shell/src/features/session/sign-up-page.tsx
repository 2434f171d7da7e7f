import { type SubmitEvent, useRef, useState } from "react";
import { Link, Navigate, useLocation } from "react-router";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { TextField } from "@/components/ui/field";
import { PageHeader } from "@/components/ui/page-header";
import { useAction } from "@/lib/actions";
import { type Faults, textOf, useFormFaults } from "@/lib/faults";
import { signIn } from "./api/sign-in";
import { type NewAccount, signUp } from "./api/sign-up";
import { pathTo, returnPath } from "./return-path";
import { useSession } from "./session-context";
import classes from "./session-form.module.css";
import { SignInProblem } from "./sign-in-problem";

const WORDS = {
  username: "Use 3 to 32 letters, digits, dots, dashes or underscores.",
  email: "Enter an email address, such as ada@example.org.",
  password: "Use 12 characters or more.",
};

/** Makes an account and signs in with it, as one action. */
export function SignUpPage() {
  const { account, signedIn } = useSession();
  const next = returnPath(useLocation().search);
  const [made, setMade] = useState<string | null>(null);
  const action = useAction("sign up", async (span, wanted: NewAccount) => {
    // A try again after the sign-in alone has failed must not make the account twice.
    if (made !== wanted.username) await signUp(wanted, span);
    setMade(wanted.username);
    signedIn(await signIn({ username: wanted.username, password: wanted.password }, span));
  });
  const form = useRef<HTMLFormElement>(null);
  const faults = useFormFaults(form, action.error, WORDS);

  if (account !== null) return <Navigate to={next} replace />;

  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    if (action.pending || !faults.check()) return;
    const [username, email, password] = [textOf(data, "username"), textOf(data, "email"), textOf(data, "password")];
    void action.run({ username: username.trim(), email: email.trim(), password });
  };

  return (
    <div className={classes.page}>
      <div className={classes.sheet}>
        <PageHeader title="Make an account" className={classes.header}>
          For orders, and to see where you are signed in. What is in your cart stays there.
        </PageHeader>
        <Card>
          <form ref={form} className={classes.form} onSubmit={submit} noValidate>
            {action.error !== null && !faults.explained && <SignInProblem problem={action.error} />}
            <SignUpFields errors={faults.errors} />
            <Button type="submit" look="primary" size="large" wide pending={action.pending}>
              Make my account
            </Button>
          </form>
        </Card>
        <p className={classes.way}>
          Have one? <Link to={pathTo("/sign-in", next)}>Sign in</Link>
        </p>
      </div>
    </div>
  );
}

function SignUpFields({ errors }: { errors: Faults }) {
  return (
    <>
      <TextField
        label="Username"
        name="username"
        hint="3 to 32 letters, digits, dots, dashes or underscores."
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        minLength={3}
        maxLength={32}
        pattern="[A-Za-z0-9_.\-]+"
        required
        errors={errors.username}
      />
      <TextField
        label="Email"
        name="email"
        type="email"
        autoComplete="email"
        maxLength={254}
        required
        errors={errors.email}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        hint="12 characters or more. A few words together are easy to remember and hard to guess."
        autoComplete="new-password"
        minLength={12}
        maxLength={128}
        required
        errors={errors.password}
      />
    </>
  );
}
