import { useEffect, useRef, useState } from "react";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { formatWait, useNow } from "@/lib/countdown";
import { ApiProblem } from "@/lib/problem";
import classes from "./session-form.module.css";

const WAIT = new ApiProblem({
  status: 429,
  title: "Too many tries",
  detail: "To protect the account we wait a little before the next one.",
});

/** Why a sign-in was refused. It takes focus, so that it is read out and the next Tab is the form. */
export function SignInProblem({ problem }: { problem: ApiProblem }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), [problem]);
  return (
    <div ref={box} tabIndex={-1} className={classes.problem}>
      {problem.status === 429 ? <TooManyTries problem={problem} /> : <ProblemNotice error={inWords(problem)} />}
    </div>
  );
}

function inWords(problem: ApiProblem): ApiProblem {
  if (problem.status !== 401) return problem;
  return new ApiProblem({
    status: 401,
    title: "That did not match",
    detail: "The username or the password is wrong. Check both, then try again.",
  });
}

/** Says when to try again, and counts down to it. */
function TooManyTries({ problem }: { problem: ApiProblem }) {
  const now = useNow(1_000);
  const [until] = useState(() => Date.now() + (problem.retryAfter ?? 60) * 1_000);
  const left = Math.ceil((until - now) / 1_000);
  return (
    <>
      <ProblemNotice error={WAIT} />
      {/* Outside the alert, or it would be read out each second. */}
      <p className={classes.wait}>{left > 0 ? `Try again in ${formatWait(left)}.` : "You can try again now."}</p>
    </>
  );
}
