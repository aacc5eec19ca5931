import { describe, expect, it } from "vitest";
import { detectLanguage } from "./detect-language.ts";

describe("detectLanguage", () => {
  it.each([
    ["en", "The invoice must be paid within thirty days of receipt."],
    ["de", "Die Rechnung ist innerhalb von dreißig Tagen nach Erhalt zu zahlen."],
    ["fr", "La facture doit être payée dans les trente jours suivant sa réception."],
    ["es", "La factura debe pagarse en un plazo de treinta días."],
    ["it", "La fattura deve essere pagata entro trenta giorni."],
    ["nl", "De factuur moet binnen dertig dagen worden betaald."],
    ["pl", "Fakturę należy zapłacić w ciągu trzydziestu dni."],
    ["ru", "Счет должен быть оплачен в течение тридцати дней."],
    ["ja", "請求書は30日以内に支払う必要があります"],
    ["zh", "发票必须在三十天内支付"],
    ["ko", "청구서는 30일 이내에 지불해야 합니다"],
    ["ar", "يجب دفع الفاتورة خلال ثلاثين يوما"],
  ])("recognises %s", (code, text) => {
    expect(detectLanguage(text)).toMatchObject({ code });
    expect(detectLanguage(text).confidence).toBeGreaterThan(0.5);
  });

  it.each([
    "",
    "OK",
    "P-100 | 12 | 45.00",
    "SKU 1234 EUR 12.00",
    "asdf qwer zxcv uiop hjkl",
    "https://example.com/a/b/c",
  ])("does not guess at %j", (text) => expect(detectLanguage(text)).toEqual({ code: "und", confidence: 0 }));

  it("goes by the whole of a long text, not by its first words", () => {
    const quote = "“To be, or not to be, that is the question”, heißt es dort, und mehr steht da nicht. ";
    const body = "Die Geschäftsführung hat beschlossen, den Standort im kommenden Jahr zu erweitern. ".repeat(40);
    expect(detectLanguage(quote + body).code).toBe("de");
  });
});
