import { formatWait } from "@/lib/countdown";
import { ApiProblem } from "@/lib/problem";

/** What is said where a form asks for the password again: too many wrong ones have to wait. */
export function inWords(problem: ApiProblem): ApiProblem {
  if (problem.status !== 429) return problem;
  const wait = formatWait(problem.retryAfter ?? 60);
  return new ApiProblem({
    status: 429,
    title: "Too many wrong passwords",
    detail: `To protect the account we wait a little. Try again in ${wait}.`,
  });
}
