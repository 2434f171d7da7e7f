import { LinkButton } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeader } from "@/components/ui/page-header";

/** For an address that leads nowhere. */
export function NotFoundPage() {
  return (
    <>
      <PageHeader title="This page is not on the chart" documentTitle="Not found" />
      <EmptyState
        drawing="lost"
        title="There is nothing at this address"
        action={
          <LinkButton to="/" look="primary">
            Go to the catalogue
          </LinkButton>
        }
      >
        It may be mistyped, or have moved. The catalogue is a good place to start again.
      </EmptyState>
    </>
  );
}
