import { useId, type ComponentProps, type ReactNode } from "react";
import { cx } from "./cx";
import classes from "./field.module.css";
import { Icon } from "./icon";

/** What a control needs to be named and described by its field. */
export interface FieldControl {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: true;
}

export interface FieldProps {
  label: string;
  /** Said before there is a fault: what is expected. */
  hint?: ReactNode;
  /** Faults, as the API names them for this field. */
  errors?: readonly string[] | undefined;
  children: (control: FieldControl) => ReactNode;
  className?: string | undefined;
}

/** A label, a control, its hint and its faults, tied together by id. */
export function Field({ label, hint, errors = [], children, className }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : "", errors.length > 0 ? `${id}-errors` : ""].filter(Boolean).join(" ");
  const control: FieldControl = {
    id,
    ...(described && { "aria-describedby": described }),
    ...(errors.length > 0 && { "aria-invalid": true as const }),
  };
  return (
    <div className={cx(classes.field, className)}>
      <label className={classes.label} htmlFor={id}>
        {label}
      </label>
      {children(control)}
      {hint ? (
        <p className={classes.hint} id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
      {errors.length > 0 && (
        <ul className={classes.errors} id={`${id}-errors`}>
          {errors.map((error) => (
            <li key={error}>
              <Icon name="warning" /> {error}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

export interface TextFieldProps extends Omit<ComponentProps<"input">, "children" | "id">, Omit<FieldProps, "children"> {}

/** One line of text. Props besides the field's go to the input, `ref` too. */
export function TextField({ label, hint, errors, className, ...input }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} errors={errors} className={className}>
      {(control) => <input type="text" {...input} {...control} className={classes.input} />}
    </Field>
  );
}
