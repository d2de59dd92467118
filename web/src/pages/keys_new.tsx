// A new key, made by the program and kept there; somebody else's request for a certificate.
import { useSignal } from "@preact/signals";
import { call } from "../api";
import { FormDialog } from "../components/dialog";
import { Check, Choice, Field } from "../components/fields";
import { review } from "../components/review";
import { say } from "../components/toasts";
import { t, tn } from "../i18n";
import { authorities, PASSWORD_MIN, save } from "./keys_model";

const YEAR = 365; // days
const YEARS = [1, 2, 3, 10];
const KINDS = [
    ["rsa-3072", "RSA 3072"],
    ["rsa-4096", "RSA 4096"],
    ["p-256", "P-256"],
] as const;

interface Props {
    onClose: () => void;
    onDone: () => void;
}
const dayOptions = () => YEARS.map((n) => [String(n * YEAR), tn(n, "{n} year", "{n} years")] as const);

interface Grants {
    ca: { value: boolean };
    code: { value: boolean };
    client: { value: boolean };
}
function GrantFields({ ca, code, client }: Grants) {
    return (
        <>
            <Check label={t("Sign packages with code")} checked={code.value} onChange={(on) => (code.value = on)} />
            <Check label={t("Issue certificates (authority)")} checked={ca.value} onChange={(on) => (ca.value = on)} hint={t("Whoever trusts it trusts whom it vouches for.")} />
            <Check label={t("Log in at a server")} checked={client.value} onChange={(on) => (client.value = on)} />
        </>
    );
}

export function NewKey({ onClose, onDone }: Props) {
    const name = useSignal("");
    const organization = useSignal("");
    const kind = useSignal("rsa-3072");
    const days = useSignal("1095");
    const how = useSignal("self");
    const [ca, code, client] = [useSignal(false), useSignal(true), useSignal(false)];
    const password = useSignal("");
    const again = useSignal("");
    const isReady = name.value.trim() !== "" && password.value.length >= PASSWORD_MIN && password.value === again.value;
    const submit = async () => {
        const [type, bits] = kind.value.split("-");
        const isRequest = how.value === "request";
        const made = await call<{ file: string; request: string | null }>("POST", "/local/keys/new", {
            name: name.value.trim(), password: password.value, kind: type === "rsa" ? "rsa" : "p-256", ...(type === "rsa" ? { bits: Number(bits) } : {}), days: Number(days.value),
            ...(organization.value.trim() ? { organization: organization.value.trim() } : {}), ca: ca.value, code_signing: code.value, client_auth: client.value, request: isRequest,
        });
        password.value = again.value = "";
        if (made.request) save(made.request, `${name.value.trim()}.csr`, "application/pkcs10");
        say(t("Made: {file}. Keep a copy of it where nobody else can read it.", { file: made.file }));
        onDone();
    };
    return (
        <FormDialog title={t("New key")} onClose={onClose} onSubmit={submit} button={t("Make the key")} disabled={!isReady} waiting={t("The key is being made.")} wide>
            <p class="muted">{t("The program makes it and keeps it, encrypted. It counts for nobody until its certificate is trusted or named by the root.")}</p>
            <div class="form-two">
                <Field label={t("Name")} value={name.value} onInput={(v) => (name.value = v)} autofocus />
                <Field label={t("Organisation")} value={organization.value} onInput={(v) => (organization.value = v)} />
                <Choice label={t("Key")} value={kind.value} options={KINDS} onChange={(v) => (kind.value = v)} />
                <Choice label={t("Certificate")} value={how.value} options={[["self", t("signed by itself")], ["request", t("a request, for an authority to sign")]]} onChange={(v) => (how.value = v)} />
                <Field label={t("Password")} type="password" autoComplete="new-password" value={password.value} onInput={(v) => (password.value = v)} hint={t("Eight characters at least; nobody can find it again.")} />
                <Field label={t("Password again")} type="password" autoComplete="new-password" value={again.value} onInput={(v) => (again.value = v)} />
                {how.value === "self" && <Choice label={t("Valid for")} value={days.value} options={dayOptions()} onChange={(v) => (days.value = v)} />}
            </div>
            {kind.value === "p-256" && <p class="muted">{t("Agents of WAPT 1.8 read only packages that are signed with RSA.")}</p>}
            {how.value === "self" && <GrantFields ca={ca} code={code} client={client} />}
            {again.value !== "" && password.value !== again.value && <p class="error">{t("The two passwords differ.")}</p>}
        </FormDialog>
    );
}

export function SignRequest({ onClose, onDone }: Props) {
    const request = useSignal("");
    const organization = useSignal("");
    const days = useSignal("730");
    const key = useSignal(authorities()[0]?.id ?? "");
    const [ca, code, client] = [useSignal(false), useSignal(false), useSignal(false)];
    const isReady = request.value.includes("CERTIFICATE REQUEST") && key.value !== "";
    const submit = () => {
        onClose();
        const what = { what: "certificate", key: key.value, request: request.value, days: Number(days.value), ca: ca.value, code_signing: code.value, client_auth: client.value, ...(organization.value.trim() ? { organization: organization.value.trim() } : {}) };
        review(what, (answer) => {
            save(String(answer.certificate), `${String(answer.name)}.crt`, "application/x-pem-file");
            say(t("Issued: {fingerprint}", { fingerprint: String(answer.fingerprint) }));
            onDone();
        }, { button: "Sign" });
    };
    return (
        <FormDialog title={t("Sign a request")} onClose={onClose} onSubmit={submit} button={t("Review")} disabled={!isReady} wide>
            <p class="muted">{t("Only what you choose here is granted, whatever the request asks for. Compare the SHA-256 of its key with its owner, by another way than this request came.")}</p>
            <label class="field">
                <span>{t("Request (PEM)")}</span>
                <textarea class="query" rows={6} spellcheck={false} data-autofocus value={request.value} onInput={(e) => (request.value = e.currentTarget.value)} />
            </label>
            <label class="field">
                <span>{t("or its file")}</span>
                <input type="file" accept=".csr,.pem,.req" onChange={(e) => void e.currentTarget.files?.[0]?.text().then((text) => (request.value = text))} />
            </label>
            <div class="form-two">
                <Choice label={t("Issued by")} value={key.value} options={authorities().map((c) => [c.id ?? "", c.name] as const)} onChange={(v) => (key.value = v)} />
                <Choice label={t("Valid for")} value={days.value} options={dayOptions()} onChange={(v) => (days.value = v)} />
                <Field label={t("Organisation")} value={organization.value} onInput={(v) => (organization.value = v)} />
            </div>
            <GrantFields ca={ca} code={code} client={client} />
        </FormDialog>
    );
}
