// What machines are called for people: ordered like anything else that changes a machine, whose system keeps it. In the list it is edited in its
// cell; here for several at once, and where that cell is not shown.
import { useSignal } from "@preact/signals";
import { askedFor, FormDialog, whileAsked } from "../components/dialog";
import { Field } from "../components/fields";
import { review } from "../components/review";
import { t, tn } from "../i18n";

interface Wanted {
    uuids: () => Promise<readonly string[]>;
    count: number;
    /** What it is now; none: not known, or of several. */
    text?: string | undefined;
    onDone: (answer: Record<string, unknown>, count: number) => void;
}
const wanted = askedFor<Wanted>();

/** Opens the dialog. */
export function describe(of: Wanted): void {
    wanted.value = of;
}

/** Shows what would be signed. */
export function orderDescription(hosts: readonly string[], text: string, onDone: Wanted["onDone"]): void {
    review({ what: "actions", kind: "describe", hosts, text }, (answer) => onDone(answer, hosts.length));
}

function DescribeForm({ uuids, count, text: now, onDone }: Wanted) {
    const text = useSignal(now ?? "");
    const close = () => (wanted.value = undefined);
    const submit = async () => {
        const hosts = await whileAsked(wanted, uuids());
        close();
        orderDescription(hosts, text.value.trim(), onDone);
    };
    return (
        <FormDialog title={t("Change the description")} onClose={close} onSubmit={submit} button={t("Review")} disabled={text.value.trim() === (now ?? "")}>
            {count > 1 && <p>{tn(count, "{n} machine", "{n} machines")}</p>}
            <Field label={t("Description")} value={text.value} onInput={(v) => (text.value = v)} autofocus hint={t("What the machine is called for people; its system keeps it.")} />
        </FormDialog>
    );
}

export function DescribeDialog() {
    return wanted.value ? <DescribeForm {...wanted.value} /> : null;
}
