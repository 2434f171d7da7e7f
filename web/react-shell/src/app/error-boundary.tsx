import { Component, type ErrorInfo, type ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Drawing } from "@/components/ui/drawing";
import { Icon } from "@/components/ui/icon";
import { PageHeader } from "@/components/ui/page-header";
import classes from "./error-boundary.module.css";

interface Props {
  /** Another place is another try. */
  place: string;
  children: ReactNode;
}

interface State {
  failed: boolean;
  place: string;
}

/**
 * Keeps a page that fails from taking the shell with it. That may be a bug, or a part of the shell that could not be
 * loaded: offline, or because a newer release has replaced it. Loading again helps in both.
 */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { failed: false, place: this.props.place };

  static getDerivedStateFromError(): Partial<State> {
    return { failed: true };
  }

  static getDerivedStateFromProps(props: Props, state: State): Partial<State> | null {
    return props.place === state.place ? null : { failed: false, place: props.place };
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error("A page failed.", error, info.componentStack);
  }

  override render(): ReactNode {
    return this.state.failed ? <ErrorPage /> : this.props.children;
  }
}

function ErrorPage() {
  return (
    <div role="alert">
      <PageHeader title="Something went wrong on this page" documentTitle="Error" />
      <div className={classes.error}>
        <Drawing name="broken" className={classes.drawing} />
        <p>Nothing that you had saved is lost. Load the page again; if that does not help, go to the catalogue and start from there.</p>
        <Button look="primary" onClick={() => location.reload()}>
          <Icon name="refresh" /> Load again
        </Button>
      </div>
    </div>
  );
}
