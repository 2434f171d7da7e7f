import { lazy } from "react";
import { Route, Routes } from "react-router";
import { AddToCart } from "@/features/cart/add-to-cart";
import { EndedPage } from "@/features/session/ended-page";
import { RequireSession } from "@/features/session/require-session";
import { ProductPage } from "@/features/shop/product-page";
import { ShopPage } from "@/features/shop/shop-page";
import { Layout } from "./layout";
import { NotFoundPage } from "./not-found-page";

// The shop is there at once; what lies behind it comes when it is asked for.
const AccountPage = lazy(async () => ({ default: (await import("@/features/account/account-page")).AccountPage }));
const CartPage = lazy(async () => ({ default: (await import("@/features/cart/cart-page")).CartPage }));
const CheckoutPage = lazy(async () => ({ default: (await import("@/features/cart/checkout-page")).CheckoutPage }));
const DevicesPage = lazy(async () => ({ default: (await import("@/features/devices/devices-page")).DevicesPage }));
const OrderPage = lazy(async () => ({ default: (await import("@/features/orders/order-page")).OrderPage }));
const OrdersPage = lazy(async () => ({ default: (await import("@/features/orders/orders-page")).OrdersPage }));
const SignInPage = lazy(async () => ({ default: (await import("@/features/session/sign-in-page")).SignInPage }));
const SignUpPage = lazy(async () => ({ default: (await import("@/features/session/sign-up-page")).SignUpPage }));

/** Which page an address shows. The pages under RequireSession are for who is signed in. */
export function AppRoutes() {
  return (
    <Routes>
      <Route element={<Layout />}>
        <Route index element={<ShopPage />} />
        <Route
          path="products/:sku"
          element={<ProductPage buy={({ sku, name, stock }) => <AddToCart key={sku} sku={sku} name={name} stock={stock} />} />}
        />
        <Route path="cart" element={<CartPage />} />
        <Route path="sign-in" element={<SignInPage />} />
        <Route path="sign-up" element={<SignUpPage />} />
        <Route path="ended" element={<EndedPage />} />
        <Route element={<RequireSession />}>
          <Route path="checkout" element={<CheckoutPage />} />
          <Route path="orders" element={<OrdersPage />} />
          <Route path="orders/:id" element={<OrderPage />} />
          <Route path="account" element={<AccountPage />} />
          <Route path="devices" element={<DevicesPage />} />
        </Route>
        <Route path="*" element={<NotFoundPage />} />
      </Route>
    </Routes>
  );
}
