import { createContext, lazy, Suspense, use, useMemo, useState, type ReactNode } from "react";

export interface ToastMessage {
  title: string;
  description?: string;
  tone?: "plain" | "success" | "danger";
  /** One thing to do about it. */
  action?: { label: string; onPress: () => void };
}

export interface Toasts {
  show: (message: ToastMessage) => void;
}

const ToastViewport = lazy(() => import("./toast-viewport"));
const Context = createContext<Toasts | null>(null);

/** Holds the toasts of the page. What shows them is loaded with the first. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [wanted, setWanted] = useState(false);
  const [waiting, setWaiting] = useState<readonly ToastMessage[]>([]);
  const toasts = useMemo<Toasts>(
    () => ({
      show: (message) => {
        setWanted(true);
        setWaiting((before) => [...before, message]);
      },
    }),
    [],
  );
  return (
    <Context value={toasts}>
      {children}
      {wanted && (
        <Suspense fallback={null}>
          <ToastViewport messages={waiting} onTaken={(count) => setWaiting((before) => before.slice(count))} />
        </Suspense>
      )}
    </Context>
  );
}

/** Says something short that needs no answer. Outside a provider it is a fault. */
export function useToast(): Toasts {
  const toasts = use(Context);
  if (toasts === null) throw new Error("useToast needs a ToastProvider around it.");
  return toasts;
}
