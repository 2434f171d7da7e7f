import type { ComponentProps, ReactNode } from "react";
import { Link } from "react-router";
import classes from "./button.module.css";
import { cx } from "./cx";
import { Spinner } from "./spinner";

export type ButtonLook = "primary" | "secondary" | "quiet" | "danger";
export type ButtonSize = "small" | "medium" | "large";

interface Look {
  look?: ButtonLook;
  size?: ButtonSize;
  /** As wide as what holds it. */
  wide?: boolean;
  /** Square, for an icon alone; such a button needs an aria-label. */
  square?: boolean;
}

function classOf({ look = "secondary", size = "medium", wide = false, square = false }: Look, className?: string): string {
  return cx(classes.button, classes[look], classes[size], wide && classes.wide, square && classes.square, className);
}

export interface ButtonProps extends Look, ComponentProps<"button"> {
  /** Work is under way: the button says so, keeps focus and takes no second press. */
  pending?: boolean;
  children: ReactNode;
}

/** A button says what happens. `type` is "button" unless it is told otherwise. */
export function Button({ look, size, wide, square, pending = false, className, children, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={classOf({ ...(look && { look }), ...(size && { size }), ...(wide && { wide }), ...(square && { square }) }, className)}
      aria-disabled={pending || rest["aria-disabled"] || undefined}
      aria-busy={pending || undefined}
      onClick={(event) => {
        if (pending) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {pending && <Spinner />}
      {children}
    </button>
  );
}

export interface LinkButtonProps extends Look, ComponentProps<typeof Link> {}

/** A link that looks like a button: it goes somewhere, it changes nothing. */
export function LinkButton({ look, size, wide, square, className, ...rest }: LinkButtonProps) {
  return (
    <Link
      {...rest}
      className={classOf({ ...(look && { look }), ...(size && { size }), ...(wide && { wide }), ...(square && { square }) }, className)}
    />
  );
}
