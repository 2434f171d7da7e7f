import { LinkButton } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { PageHeader } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { useSession } from "@/features/session/session-context";
import classes from "./account-page.module.css";
import { EmailSection } from "./email-section";
import { EverywhereSection } from "./everywhere-section";
import { PasswordSection } from "./password-section";

/** The account: email, password, and the way out everywhere. */
export function AccountPage() {
  const { account } = useSession();
  if (account === null) return null;
  return (
    <div className={classes.page}>
      <PageHeader
        title="Your account"
        eyebrow={account.username}
        actions={
          <LinkButton to="/devices">
            <Icon name="laptop" /> Where you are signed in
          </LinkButton>
        }
      >
        You joined <RelativeTime at={account.created_at} />.
      </PageHeader>
      <EmailSection key={account.email} email={account.email} username={account.username} />
      <PasswordSection username={account.username} />
      <EverywhereSection />
    </div>
  );
}
