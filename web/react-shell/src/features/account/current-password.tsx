import { TextField } from "@/components/ui/field";

interface CurrentPasswordProps {
  username: string;
  label: string;
  hint?: string;
  errors: readonly string[] | undefined;
}

/** The field `current` of a form that asks for the password again. */
export function CurrentPassword({ username, label, hint, errors }: CurrentPasswordProps) {
  return (
    <>
      {/* Password managers need to know whose password it is. */}
      <input type="text" name="username" autoComplete="username" defaultValue={username} hidden readOnly />
      <TextField
        label={label}
        name="current"
        type="password"
        hint={hint}
        autoComplete="current-password"
        maxLength={128}
        required
        errors={errors}
      />
    </>
  );
}
