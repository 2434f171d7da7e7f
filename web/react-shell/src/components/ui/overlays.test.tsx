import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { MemoryRouter } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiProblem } from "@/lib/problem";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Menu } from "./menu";
import { ProblemNotice } from "./problem-notice";
import { ToastProvider, useToast } from "./toast";

describe("Dialog", () => {
  function Page() {
    const [open, setOpen] = useState(false);
    return (
      <>
        <Button onClick={() => setOpen(true)}>End it</Button>
        <Dialog
          open={open}
          onOpenChange={setOpen}
          title="End this session?"
          description="The phone is signed out."
          actions={<Button onClick={() => setOpen(false)}>Keep it</Button>}
        />
      </>
    );
  }

  it("opens with its name and description, takes focus, and gives it back on Escape", async () => {
    render(<Page />);
    await userEvent.click(screen.getByRole("button", { name: "End it" }));
    const dialog = await screen.findByRole("dialog", { name: "End this session?" });
    expect(dialog).toHaveAccessibleDescription("The phone is signed out.");
    await waitFor(() => expect(dialog).toContainElement(document.activeElement as HTMLElement));
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
    expect(screen.getByRole("button", { name: "End it" })).toHaveFocus();
  });
});

describe("Menu", () => {
  const choose = vi.fn();
  afterEach(() => choose.mockReset());
  const menu = (
    <MemoryRouter>
      <Menu label="Your account" items={[{ label: "Account", to: "/account" }, { label: "Sign out", onSelect: choose, divided: true }]}>
        A
      </Menu>
    </MemoryRouter>
  );

  it("is worked by keys alone", async () => {
    render(menu);
    await userEvent.tab();
    await userEvent.keyboard("{ArrowDown}");
    await screen.findByRole("menu");
    const last = screen.getByRole("menuitem", { name: "Sign out" });
    await waitFor(async () => {
      await userEvent.keyboard("{End}");
      expect(last).toHaveFocus();
    });
    await userEvent.keyboard("{Enter}");
    expect(choose).toHaveBeenCalledTimes(1);
    await waitFor(() => expect(screen.queryByRole("menu")).not.toBeInTheDocument());
  });

  it("says whether it is open, and its links lead somewhere", async () => {
    render(menu);
    const button = screen.getByRole("button", { name: "Your account" });
    expect(button).toHaveAttribute("aria-expanded", "false");
    await userEvent.click(button);
    expect(await screen.findByRole("menuitem", { name: "Account" })).toHaveAttribute("href", "/account");
    expect(button).toHaveAttribute("aria-expanded", "true");
  });
});

describe("useToast", () => {
  it("shows each message once, with what can be done about it", async () => {
    const undo = vi.fn();
    function Page() {
      const toast = useToast();
      return <Button onClick={() => toast.show({ title: "Saved", tone: "success", action: { label: "View", onPress: undo } })}>Save</Button>;
    }
    render(
      <ToastProvider>
        <Page />
      </ToastProvider>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    expect(await screen.findAllByText("Saved")).not.toHaveLength(0);
    await userEvent.click(screen.getByRole("button", { name: "View" }));
    expect(undo).toHaveBeenCalledTimes(1);
    await waitFor(() => expect(screen.queryByRole("button", { name: "View" })).not.toBeInTheDocument());
  });
});

describe("ProblemNotice", () => {
  const away = () => new ApiProblem({ status: 503, title: "Away", detail: "Nothing was changed.", retryAfter: 2 });
  afterEach(() => vi.useRealTimers());

  it("says what happened and offers another try", async () => {
    const retry = vi.fn();
    render(<ProblemNotice error={new ApiProblem({ status: 400, title: "That is too many", detail: "Take fewer." })} onRetry={retry} />);
    expect(screen.getByRole("alert")).toHaveTextContent("That is too manyTake fewer.");
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(retry).toHaveBeenCalledTimes(1);
  });

  it("in place of a page tries again by itself when Retry-After is over, once", () => {
    vi.useFakeTimers();
    const retry = vi.fn();
    render(<ProblemNotice place="page" error={away()} onRetry={retry} />);
    expect(screen.getByRole("button", { name: "Trying again in 2 s" })).toBeInTheDocument();
    act(() => void vi.advanceTimersByTime(1900));
    expect(retry).not.toHaveBeenCalled();
    act(() => void vi.advanceTimersByTime(5000));
    expect(retry).toHaveBeenCalledTimes(1);
  });

  it("never repeats by itself what a user did", () => {
    vi.useFakeTimers();
    const retry = vi.fn();
    render(<ProblemNotice error={away()} onRetry={retry} />);
    act(() => void vi.advanceTimersByTime(10_000));
    expect(retry).not.toHaveBeenCalled();
  });

  it("tells being offline from the service being away, and both from a fault of the page", () => {
    const { rerender } = render(<ProblemNotice error={new ApiProblem({ status: 0, title: "No connection" })} />);
    expect(screen.getByRole("alert")).toHaveTextContent("You are offline");
    rerender(<ProblemNotice error={away()} />);
    expect(screen.getByRole("alert")).toHaveTextContent("We cannot answer right now");
    rerender(<ProblemNotice error={new TypeError("x is undefined")} />);
    expect(screen.getByRole("alert")).toHaveTextContent("Something went wrong on this page");
  });
});
