import { Check } from "lucide-react";
import { roleChoices, roleRights } from "#features/access/roles.ts";
import { missing } from "#lib/format.ts";

const namesOf = (roles: readonly string[]) =>
  roleChoices
    .filter(({ value }) => roles.includes(value))
    .map(({ label }) => label)
    .join(", ");

/** What each role may do, on a phone as a list. Documents and models have permissions of their own, which count for every role. */
export function RoleTable() {
  return (
    <section aria-label="What each role may do" className="mt-8">
      <h2 className="mb-2 text-13 font-semibold">What each role may do</h2>
      <div className="rounded-panel border border-line bg-panel">
        <ul className="divide-y divide-line text-13 md:hidden">
          {roleRights.map(({ right, roles }) => (
            <li key={right} className="px-4 py-2">
              {right}
              <span className="block text-xs text-muted">{namesOf(roles)}</span>
            </li>
          ))}
        </ul>
        <table className="hidden w-full text-13 md:table">
          <thead className="text-left text-muted">
            <tr className="border-b border-line">
              <th scope="col" className="px-4 py-2 font-medium">
                Right
              </th>
              {roleChoices.map(({ value, label }) => (
                <th key={value} scope="col" className="px-2 py-2 text-center font-medium">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {roleRights.map(({ right, roles }) => (
              <tr key={right} className="border-b border-line last:border-0">
                <th scope="row" className="px-4 py-2 text-left font-normal">
                  {right}
                </th>
                {roleChoices.map(({ value }) => (
                  <td key={value} className="px-2 py-2 text-center">
                    {roles.includes(value) ? (
                      <Check aria-label="yes" className="mx-auto size-4 text-ready" />
                    ) : (
                      <span aria-label="no" className="text-faint">
                        {missing}
                      </span>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="mt-2 text-xs text-faint">
        Documents and models have permissions of their own: no role reads a document that does not admit the person, and
        an adapter also needs the documents that it learned from.
      </p>
    </section>
  );
}
