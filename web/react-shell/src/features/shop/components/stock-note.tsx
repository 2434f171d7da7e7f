import { Badge } from "@/components/ui/badge";

const FEW = 5;

/** What the stock means for who wants to buy. With `full` it also says that there is enough. */
export function StockNote({ stock, full = false }: { stock: number; full?: boolean }) {
  if (stock === 0) return <Badge>Sold out</Badge>;
  if (stock <= FEW) return <Badge tone="warning">{stock === 1 ? "The last one" : `Only ${stock} left`}</Badge>;
  return full ? <Badge tone="success">In stock</Badge> : null;
}
