import { CSPProvider } from "@base-ui/react/csp-provider";
import { Toast as Base } from "@base-ui/react/toast";
import { useEffect } from "react";
import { cx } from "./cx";
import { Icon } from "./icon";
import classes from "./toast.module.css";
import type { ToastMessage } from "./toast";

const manager = Base.createToastManager<{ tone: NonNullable<ToastMessage["tone"]> }>();

function add({ title, description, tone = "plain", action }: ToastMessage): void {
  const id = manager.add({
    title,
    description,
    data: { tone },
    priority: tone === "danger" ? "high" : "low",
    ...(action && {
      actionProps: {
        children: action.label,
        onClick: () => {
          manager.close(id);
          action.onPress();
        },
      },
    }),
  });
}

/** The lazy part of `ToastProvider`: takes the messages that wait, and shows them. */
export default function ToastViewport({ messages, onTaken }: { messages: readonly ToastMessage[]; onTaken: (count: number) => void }) {
  useEffect(() => {
    if (messages.length === 0) return;
    for (const message of messages) add(message);
    onTaken(messages.length);
  }, [messages, onTaken]);
  return (
    <CSPProvider disableStyleElements>
      <Base.Provider toastManager={manager} timeout={5000} limit={3}>
        <Base.Portal>
          <Base.Viewport className={classes.viewport}>
            <List />
          </Base.Viewport>
        </Base.Portal>
      </Base.Provider>
    </CSPProvider>
  );
}

function List() {
  const { toasts } = Base.useToastManager<{ tone: NonNullable<ToastMessage["tone"]> }>();
  return toasts.map((toast) => {
    const tone = toast.data?.tone ?? "plain";
    return (
      <Base.Root key={toast.id} toast={toast} className={cx(classes.toast, classes[tone])} swipeDirection={["down", "right"]}>
        <Base.Content className={classes.content}>
          {tone === "plain" ? null : <Icon name={tone === "success" ? "check" : "warning"} className={classes.icon} />}
          <div className={classes.words}>
            <Base.Title className={classes.title} />
            <Base.Description className={classes.description} />
          </div>
          {toast.actionProps ? <Base.Action className={classes.action} /> : null}
          <Base.Close className={classes.close} aria-label="Close">
            <Icon name="close" />
          </Base.Close>
        </Base.Content>
      </Base.Root>
    );
  });
}
