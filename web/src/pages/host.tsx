export function HostPage({ args }: { args: Record<string, string> }) {
    return <div class="page">{args.uuid}</div>;
}
