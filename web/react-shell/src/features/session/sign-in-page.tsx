import { type SubmitEvent, useRef } from "react";
import { Link, Navigate, useLocation } from "react-router";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { TextField } from "@/components/ui/field";
import { PageHeader } from "@/components/ui/page-header";
import { useAction } from "@/lib/actions";
import { type Faults, textOf, useFormFaults } from "@/lib/faults";
import { signIn } from "./api/sign-in";
import { pathTo, returnPath } from "./return-path";
import { useSession } from "./session-context";
import classes from "./session-form.module.css";
import { SignInProblem } from "./sign-in-problem";

const WORDS = { username: "Enter your username.", password: "Enter your password." };

/** Signs in and goes on where one was. */
export function SignInPage() {
  const { account, signedIn } = useSession();
  const next = returnPath(useLocation().search);
  const action = useAction("sign in", async (span, username: string, password: string) => {
    signedIn(await signIn({ username, password }, span));
  });
  const form = useRef<HTMLFormElement>(null);
  const faults = useFormFaults(form, action.error, WORDS);

  if (account !== null) return <Navigate to={next} replace />;

  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    if (!action.pending && faults.check()) void action.run(textOf(data, "username").trim(), textOf(data, "password"));
  };

  return (
    <div className={classes.page}>
      <div className={classes.sheet}>
        <PageHeader title="Sign in" className={classes.header}>
          {next === "/" ? "Your cart comes with you." : "You go on where you were, and your cart comes along."}
        </PageHeader>
        <Card>
          <form ref={form} className={classes.form} onSubmit={submit} noValidate>
            {action.error !== null && !faults.explained && <SignInProblem problem={action.error} />}
            <SignInFields errors={faults.errors} />
            <Button type="submit" look="primary" size="large" wide pending={action.pending}>
              Sign in
            </Button>
          </form>
        </Card>
        <p className={classes.way}>
          New here? <Link to={pathTo("/sign-up", next)}>Make an account</Link>
        </p>
      </div>
    </div>
  );
}

function SignInFields({ errors }: { errors: Faults }) {
  return (
    <>
      <TextField
        label="Username"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={150}
        required
        errors={errors.username}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        maxLength={128}
        required
        errors={errors.password}
      />
    </>
  );
}
