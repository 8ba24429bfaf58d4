import { useWords } from "../language.ts";
import type { PageProps } from "../pages.ts";
import { hrefOf } from "../route.ts";
import { FallReportPage } from "./fall-report-page.tsx";
import { HandoverPage } from "./handover-page.tsx";
import { ShiftNowPage } from "./shift-now.tsx";
import "./shift.css";

/** The shift: who has the phone now, what it hands over, and the report of one fall. */
export default function ShiftPage({ user, rest: [part, id] }: PageProps) {
  const words = useWords();
  const mayWrite = user.permissions.includes("shift.write");
  const tab = (name: "now" | "handover", href: string) => (
    <a href={href} aria-current={(part ?? "now") === name ? "page" : undefined}>
      {words.say(`shift.tab.${name}`)}
    </a>
  );
  return (
    <div class="shift">
      <nav class="shift-tabs" aria-label={words.say("shift.tabs")}>
        {tab("now", hrefOf("shift"))}
        {tab("handover", hrefOf("shift", "handover"))}
      </nav>
      {part === "handover" && <HandoverPage mayWrite={mayWrite} />}
      {part === "report" && id !== undefined && <FallReportPage key={id} id={id} />}
      {part !== "handover" && part !== "report" && <ShiftNowPage mayWrite={mayWrite} />}
    </div>
  );
}
