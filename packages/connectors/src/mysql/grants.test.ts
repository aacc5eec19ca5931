import { describe, expect, it } from "vitest";
import { findWriteGrants } from "./grants.ts";

describe("findWriteGrants", () => {
  it("finds nothing to take away from a user that only reads", () => {
    expect(
      findWriteGrants([
        "GRANT USAGE ON *.* TO `reader`@`%` IDENTIFIED BY PASSWORD '*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9'",
        "GRANT SELECT, SHOW VIEW ON `shop`.* TO `reader`@`%`",
        "GRANT SELECT (`id`, `insert`) ON `hr`.`people` TO `reader`@`%`",
        "GRANT `readers`@`%` TO `reader`@`%`",
        "GRANT SELECT ON `shop`.* TO PUBLIC",
      ]),
    ).toEqual([]);
  });

  it("takes a grant that it cannot read for one that writes", () => {
    expect(findWriteGrants(["GRANT SELECT ON `shop`.* TO reader"])).toHaveLength(1);
    expect(findWriteGrants(['GRANT SELECT ON "shop".* TO "reader"@"%"', "SET DEFAULT ROLE `a` FOR `b`@`%`"])).toEqual(
      [],
    );
  });

  it("names what to take away, from where and from whom, and no hash of a password", () => {
    expect(
      findWriteGrants([
        "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED BY PASSWORD '*HASH' WITH GRANT OPTION",
        "GRANT SELECT, INSERT (`id`), UPDATE ON `my ON db`.* TO `o``hara`@`10.%`",
        "GRANT BACKUP_ADMIN ON *.* TO `root`@`localhost`",
        "GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION",
        "GRANT DELETE ON `shop`.* TO `writers`",
      ]),
    ).toEqual([
      "REVOKE ALL PRIVILEGES, GRANT OPTION ON *.* FROM `root`@`localhost`;",
      "REVOKE INSERT, UPDATE ON `my ON db`.* FROM `o``hara`@`10.%`;",
      "REVOKE BACKUP_ADMIN ON *.* FROM `root`@`localhost`;",
      "REVOKE PROXY, GRANT OPTION ON ''@'%' FROM 'root'@'localhost';",
      "REVOKE DELETE ON `shop`.* FROM `writers`;",
    ]);
  });
});
