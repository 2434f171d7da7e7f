const MS = 520;

/** The element of the header that things fly to. */
export const CART_ID = "cart-link";

/**
 * Lets a copy of the product's drawing fly from its plate to the cart, so that one sees where it went.
 * Nothing moves for who asked for less motion, nor where there is no plate.
 */
export function flyToCart(): void {
  const picture = document.querySelector("[data-flight] svg");
  const cart = document.getElementById(CART_ID);
  if (picture === null || cart === null || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const from = picture.getBoundingClientRect();
  const to = cart.getBoundingClientRect();
  const copy = picture.cloneNode(true) as SVGElement;
  copy.setAttribute("aria-hidden", "true");
  copy.removeAttribute("role");
  Object.assign(copy.style, {
    position: "fixed",
    left: `${from.left}px`,
    top: `${from.top}px`,
    width: `${from.width}px`,
    height: `${from.height}px`,
    zIndex: "60",
    pointerEvents: "none",
  });
  document.body.append(copy);
  const x = to.left + to.width / 2 - (from.left + from.width / 2);
  const y = to.top + to.height / 2 - (from.top + from.height / 2);
  const flight = copy.animate(
    [
      { transform: "none", opacity: 0.9 },
      { transform: `translate(${x * 0.6}px, ${y * 0.85}px) scale(0.35)`, opacity: 0.9, offset: 0.6 },
      { transform: `translate(${x}px, ${y}px) scale(0.05)`, opacity: 0.2 },
    ],
    { duration: MS, easing: "cubic-bezier(0.3, 0, 0.2, 1)" },
  );
  const remove = () => copy.remove();
  flight.onfinish = remove;
  flight.oncancel = remove;
}
