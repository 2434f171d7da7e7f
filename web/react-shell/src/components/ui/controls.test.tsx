import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { SyntheticEvent } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Button } from "./button";
import { TextField } from "./field";
import { formatMoney } from "./price";
import { formatRelative, RelativeTime } from "./relative-time";
import { Table } from "./table";
import { ThemeSwitch } from "./theme-switch";

describe("Button", () => {
  it("does what it says once it is pressed, by pointer and by key", async () => {
    const press = vi.fn();
    render(<Button onClick={press}>Save</Button>);
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await userEvent.keyboard("{Enter}");
    expect(press).toHaveBeenCalledTimes(2);
  });

  it("keeps focus and takes no second press while it is pending", async () => {
    const press = vi.fn();
    const submit = vi.fn((event: SyntheticEvent) => event.preventDefault());
    render(
      <form onSubmit={submit}>
        <Button type="submit" pending onClick={press}>
          Save
        </Button>
      </form>,
    );
    const button = screen.getByRole("button", { name: "Save" });
    await userEvent.click(button);
    expect(press).not.toHaveBeenCalled();
    expect(submit).not.toHaveBeenCalled();
    expect(button).toHaveFocus();
    expect(button).toHaveAttribute("aria-busy", "true");
  });
});

describe("TextField", () => {
  it("is named by its label and described by its hint and its faults", () => {
    render(<TextField label="Email" hint="We write to it." errors={["It is taken."]} name="email" />);
    const input = screen.getByRole("textbox", { name: "Email" });
    expect(input).toBeInvalid();
    expect(input).toHaveAccessibleDescription("We write to it. It is taken.");
  });

  it("is valid without faults", () => {
    render(<TextField label="Email" />);
    expect(screen.getByRole("textbox")).toBeValid();
    expect(screen.getByRole("textbox")).not.toHaveAttribute("aria-describedby");
  });
});

it("a price is written with its cents", () => {
  expect(formatMoney({ amount: 124_005, currency: "EUR" })).toBe("€1,240.05");
  expect(formatMoney({ amount: 0, currency: "EUR" })).toBe("€0.00");
});

describe("RelativeTime", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  it.each([
    [-10, "just now"],
    [20, "in a moment"],
    [-60, "1 minute ago"],
    [-59 * 60, "59 minutes ago"],
    [-3600, "1 hour ago"],
    [-86_400, "yesterday"],
    [-3 * 86_400, "3 days ago"],
    [-14 * 86_400, "2 weeks ago"],
    [-70 * 86_400, "2 months ago"],
    [-800 * 86_400, "2 years ago"],
    [1800, "in 30 minutes"],
  ])("%d seconds away is %s", (seconds, words) => {
    expect(formatRelative(now + seconds * 1000, now)).toBe(words);
  });

  it("has the exact time in its tooltip and for machines", () => {
    render(<RelativeTime at="2026-11-22T12:00:00Z" />);
    const time = document.querySelector("time");
    expect(time).toHaveAttribute("dateTime", "2026-11-22T12:00:00.000Z");
    expect(time?.title).toContain("22 November 2026");
  });
});

it("a table can be read by its caption, headers and cells", () => {
  render(
    <Table
      caption="Lines"
      rows={[{ id: "a", n: 2 }]}
      rowKey={(row) => row.id}
      columns={[
        { key: "id", header: "Product", cell: (row) => row.id },
        { key: "n", header: "Quantity", cell: (row) => row.n, align: "end" },
      ]}
    />,
  );
  expect(screen.getByRole("table", { name: "Lines" })).toBeInTheDocument();
  expect(screen.getByRole("columnheader", { name: "Quantity" })).toBeInTheDocument();
  expect(screen.getByRole("cell", { name: "2" })).toHaveAttribute("data-label", "Quantity");
});

describe("ThemeSwitch", () => {
  beforeEach(() => {
    localStorage.clear();
    document.documentElement.dataset.theme = "light";
    vi.stubGlobal("matchMedia", () => ({ matches: false }));
  });

  it("overrides the system, and follows it again when both agree", async () => {
    render(<ThemeSwitch />);
    await userEvent.click(screen.getByRole("button", { name: "Use the dark theme" }));
    expect(document.documentElement.dataset.theme).toBe("dark");
    expect(localStorage.getItem("theme")).toBe("dark");
    await userEvent.click(screen.getByRole("button", { name: "Use the light theme" }));
    expect(document.documentElement.dataset.theme).toBe("light");
    expect(localStorage.getItem("theme")).toBeNull();
  });
});
