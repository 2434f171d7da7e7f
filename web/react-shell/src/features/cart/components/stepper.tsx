import { Icon } from "@/components/ui/icon";
import { MOST } from "../cart";
import classes from "./stepper.module.css";

export interface StepperProps {
  /** Of what: for the accessible names. */
  of: string;
  value: number;
  most?: number;
  onChange: (value: number) => void;
}

/** A quantity with one step down and one up. */
export function Stepper({ of, value, most = MOST, onChange }: StepperProps) {
  return (
    <div className={classes.stepper} role="group" aria-label={`Quantity of ${of}`}>
      <button type="button" className={classes.step} aria-label="One less" disabled={value <= 1} onClick={() => onChange(value - 1)}>
        <Icon name="minus" />
      </button>
      <output className={classes.value} aria-live="polite">
        {value}
      </output>
      <button type="button" className={classes.step} aria-label="One more" disabled={value >= Math.min(most, MOST)} onClick={() => onChange(value + 1)}>
        <Icon name="plus" />
      </button>
    </div>
  );
}
