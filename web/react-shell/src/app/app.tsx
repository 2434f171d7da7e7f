import { BrowserRouter } from "react-router";
import { Providers } from "./providers";
import { AppRoutes } from "./router";

/** The whole shell, in a browser. */
export function App() {
  return (
    <BrowserRouter>
      <Providers>
        <AppRoutes />
      </Providers>
    </BrowserRouter>
  );
}
