import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ProblemNotice } from "@/components/ui/problem-notice";
import type { ApiProblem } from "@/lib/problem";
import type { EndedRow } from "./session-row";

/** What the user is about to end. */
export type Ending = { readonly what: "one"; readonly row: EndedRow } | { readonly what: "others" } | { readonly what: "all" };

interface Words {
  readonly title: string;
  readonly description: string;
  readonly keep: string;
  readonly end: string;
}

function wordsOf(ending: Ending): Words {
  switch (ending.what) {
    case "others":
      return {
        title: "Sign out everywhere else?",
        description: "Every other device is signed out at its next request, and its cart goes with it. This one stays signed in.",
        keep: "Keep them signed in",
        end: "Sign out everywhere else",
      };
    case "all":
      return {
        title: "Sign out everywhere?",
        description: "Every device is signed out at its next request, this one too. The carts go with the sessions; orders stay.",
        keep: "Stay signed in",
        end: "Sign out everywhere",
      };
    case "one":
      return ending.row.session.current
        ? {
            title: "Sign out this device?",
            description: "The cart goes with the session; orders stay.",
            keep: "Stay signed in",
            end: "Sign out",
          }
        : {
            title: `Sign out ${ending.row.device.name}?`,
            description: "It is signed out at its next request, and its cart goes with it.",
            keep: "Keep it signed in",
            end: "Sign it out",
          };
  }
}

export interface EndDialogProps {
  ending: Ending | null;
  pending: boolean;
  problem: ApiProblem | null;
  onKeep: () => void;
  onEnd: (ending: Ending) => void;
}

/** Asks before a session ends: there is no way back. */
export function EndDialog({ ending, pending, problem, onKeep, onEnd }: EndDialogProps) {
  // The words stay while the dialog fades out.
  const [shown, setShown] = useState(ending);
  if (ending !== null && ending !== shown) setShown(ending);
  if (shown === null) return null;
  const words = wordsOf(shown);
  return (
    <Dialog
      open={ending !== null}
      onOpenChange={(open) => {
        if (!open) onKeep();
      }}
      title={words.title}
      description={words.description}
      actions={
        <>
          <Button onClick={onKeep}>{words.keep}</Button>
          <Button look="danger" pending={pending} onClick={() => onEnd(shown)}>
            {words.end}
          </Button>
        </>
      }
    >
      {problem !== null && <ProblemNotice error={problem} />}
    </Dialog>
  );
}
