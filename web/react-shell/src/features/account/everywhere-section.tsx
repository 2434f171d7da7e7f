import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { useSession } from "@/features/session/session-context";
import { useAction } from "@/lib/actions";
import { Section } from "./section";

/** Ends every session of the account, after asking. */
export function EverywhereSection() {
  const { signOut } = useSession();
  const [asking, setAsking] = useState(false);
  const action = useAction("sign out everywhere", async (span) => {
    await signOut({ everywhere: true, span });
  });
  return (
    <Section
      title="Sign out everywhere"
      what="On every device at once, this one too. Use it when a device is lost, or when you are not sure."
      tone="danger"
    >
      <div>
        <Button look="danger" onClick={() => setAsking(true)}>
          Sign out everywhere
        </Button>
        <Dialog
          open={asking}
          onOpenChange={setAsking}
          title="Sign out everywhere?"
          description="Every device is signed out at its next request, this one too. The carts go with the sessions; orders stay."
          actions={
            <>
              <Button onClick={() => setAsking(false)}>Stay signed in</Button>
              <Button look="danger" pending={action.pending} onClick={() => void action.run()}>
                Sign out everywhere
              </Button>
            </>
          }
        >
          {action.error !== null && <ProblemNotice error={action.error} />}
        </Dialog>
      </div>
    </Section>
  );
}
