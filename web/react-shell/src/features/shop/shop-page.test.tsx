import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { beforeEach, describe, expect, it } from "vitest";
import { product } from "@/test/goods";
import { server } from "@/test/server";
import { fakeUsers, NOBODY, problem, renderPage } from "@/test/session";
import { groupByCategory } from "./catalogue";
import { ProductPage } from "./product-page";
import { SearchBox } from "./search-box";
import { ShopPage } from "./shop-page";

const categories = ["Clocks", "Compasses", "Maps"];
const catalogue = [
  product("tide-clock"),
  product("field-compass", { category: "Compasses", stock: 2 }),
  product("moon-calendar", { category: "Clocks", stock: 0, name: "A calendar whose name is as long as sixty characters may be." }),
];

/** A catalogue that filters as the orders service does; gives what it was asked for. */
function serveProducts(): URLSearchParams[] {
  const asked: URLSearchParams[] = [];
  server.use(
    http.get("*/api/orders/products", ({ request }) => {
      const params = new URL(request.url).searchParams;
      asked.push(params);
      const query = params.get("query")?.toLowerCase() ?? "";
      const category = params.get("category");
      const items = catalogue.filter((each) => each.name.toLowerCase().includes(query) && (!category || each.category === category));
      return HttpResponse.json({ items, categories });
    }),
  );
  return asked;
}

const shop = (
  <>
    <SearchBox />
    <ShopPage />
  </>
);

beforeEach(() => void fakeUsers(NOBODY));

describe("the shop", () => {
  it("shows the catalogue under its categories, and leaves out those that are empty", async () => {
    serveProducts();
    renderPage(shop, { at: "/", route: "/" });
    const clocks = await screen.findByRole("region", { name: "Clocks" });
    expect(within(clocks).getAllByRole("article")).toHaveLength(2);
    expect(within(clocks).getByText("Sold out")).toBeInTheDocument();
    expect(screen.getByRole("link", { name: "The field-compass" })).toHaveAttribute("href", "/products/field-compass");
    expect(screen.getByText("Only 2 left")).toBeInTheDocument();
    expect(screen.queryByRole("region", { name: "Maps" })).not.toBeInTheDocument();
    expect(screen.getAllByRole("heading", { level: 1 })).toHaveLength(1);
  });

  it("says that it is loading until the catalogue is there", async () => {
    serveProducts();
    renderPage(shop, { at: "/", route: "/" });
    expect(screen.getByRole("status", { name: "Loading the catalogue" })).toBeInTheDocument();
    await screen.findByRole("region", { name: "Clocks" });
    expect(screen.queryByRole("status", { name: "Loading the catalogue" })).not.toBeInTheDocument();
  });

  it("shows one category, and marks it in the navigation", async () => {
    const asked = serveProducts();
    renderPage(shop, { at: "/?category=Compasses", route: "/" });
    expect(screen.getByRole("heading", { level: 1, name: "Compasses" })).toBeInTheDocument();
    expect(await screen.findAllByRole("article")).toHaveLength(1);
    expect(screen.getByRole("link", { name: "Compasses" })).toHaveAttribute("aria-current", "page");
    expect(asked.some((params) => params.get("category") === "Compasses")).toBe(true);
  });

  it("searches while one types, in one request for what was typed quickly", async () => {
    const asked = serveProducts();
    renderPage(shop, { at: "/", route: "/" });
    await screen.findByRole("region", { name: "Clocks" });
    await userEvent.keyboard("/");
    expect(screen.getByRole("searchbox")).toHaveFocus();
    await userEvent.keyboard("compass");
    expect(await screen.findByRole("heading", { level: 1, name: "“compass”" })).toBeInTheDocument();
    expect(await screen.findByText("One thing found")).toBeInTheDocument();
    expect(asked.map((params) => params.get("query")).filter(Boolean)).toEqual(["compass"]);
  });

  it("leaves / alone where one is typing", async () => {
    serveProducts();
    renderPage(
      <>
        <input aria-label="Elsewhere" />
        {shop}
      </>,
      { at: "/", route: "/" },
    );
    await userEvent.type(screen.getByLabelText("Elsewhere"), "a/b");
    expect(screen.getByLabelText("Elsewhere")).toHaveValue("a/b");
  });

  it("says so when nothing was found, and Escape brings everything back", async () => {
    serveProducts();
    renderPage(shop, { at: "/?query=zeppelin", route: "/" });
    expect(await screen.findByRole("heading", { name: "We have nothing by that name" })).toBeInTheDocument();
    expect(screen.getByRole("searchbox")).toHaveValue("zeppelin");
    await userEvent.type(screen.getByRole("searchbox"), "{Escape}");
    expect(await screen.findByRole("region", { name: "Clocks" })).toBeInTheDocument();
    expect(screen.getByRole("searchbox")).toHaveValue("");
  });

  it("says when the catalogue is away, and shows it at the next try", async () => {
    server.use(http.get("*/api/orders/products", () => problem(503, { detail: "The database gave no answer." }, { "Retry-After": "30" })));
    renderPage(shop, { at: "/", route: "/" });
    expect(await screen.findByRole("alert")).toHaveTextContent("The database gave no answer.");
    serveProducts();
    await userEvent.click(screen.getByRole("button", { name: /Trying again in/ }));
    expect(await screen.findByRole("region", { name: "Clocks" })).toBeInTheDocument();
  });
});

describe("a product's page", () => {
  const page = <ProductPage buy={({ sku }) => <button type="button">Buy {sku}</button>} />;

  it("shows what it is, what it costs, how to buy it, and others of its category", async () => {
    serveProducts();
    server.use(http.get("*/api/orders/products/tide-clock", () => HttpResponse.json(catalogue[0])));
    renderPage(page, { at: "/products/tide-clock", route: "/products/:sku" });
    expect(await screen.findByRole("heading", { level: 1, name: "The tide-clock" })).toBeInTheDocument();
    expect(screen.getByRole("img", { name: "Drawing: The tide-clock" })).toBeInTheDocument();
    expect(screen.getByText("€10.00")).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Buy tide-clock" })).toBeInTheDocument();
    const more = await screen.findByRole("region", { name: "More clocks" });
    expect(within(more).getAllByRole("article")).toHaveLength(1);
    await waitFor(() => expect(document.title).toBe("The tide-clock · Almanac"));
  });

  it("says that there is no such product, with a way back", async () => {
    server.use(http.get("*/api/orders/products/zeppelin", () => problem(404)));
    renderPage(page, { at: "/products/zeppelin", route: "/products/:sku" });
    expect(await screen.findByRole("heading", { level: 1, name: "No such product" })).toBeInTheDocument();
    expect(screen.getByRole("link", { name: "See everything" })).toHaveAttribute("href", "/");
  });
});

it("groups keep the order of the categories, not of the products", () => {
  const groups = groupByCategory(catalogue, ["Compasses", "Clocks", "Maps"]);
  expect(groups.map(([category, items]) => [category, items.length])).toEqual([
    ["Compasses", 1],
    ["Clocks", 2],
  ]);
});
