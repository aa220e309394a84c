"""reportlab: python3 statement.py statement.pdf (PDF 1.4, fonts not embedded, page 2 rotated)"""
import sys

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

ROWS = [
    ("02.03.", "Miete Schrebergarten", "-45,00"),
    ("05.03.", "Rückzahlung Stromanbieter", "+38,20"),
    ("11.03.", "Bäckerei Körnerglück", "-7,85"),
    ("18.03.", "Spende Tierschutzverein", "-20,00"),
    ("27.03.", "Gehalt für Übersetzungen", "+1.240,00"),
]

canvas = Canvas(sys.argv[1], pagesize=A4, pdfVersion=(1, 4), invariant=1)
canvas.setTitle("Kontoauszug März – Beispielbank")
canvas.setAuthor("Beispielbank")
canvas.setFont("Helvetica-Bold", 16)
canvas.drawString(60, 770, "Kontoauszug Nummer 3")
canvas.setFont("Helvetica", 11)
canvas.drawString(60, 745, "Beispielbank, Marktplatz 1, 12345 Musterstadt")
y = 700
for day, purpose, amount in ROWS:
    canvas.drawString(60, y, day)
    canvas.drawString(120, y, purpose)
    canvas.drawRightString(500, y, amount + " \u20ac")
    y -= 20
canvas.setFont("Helvetica-Bold", 11)
canvas.drawString(120, y - 10, "Neuer Kontostand")
canvas.drawRightString(500, y - 10, "2.917,46 \u20ac")
canvas.showPage()

# Text that runs up the portrait sheet, which /Rotate turns upright.
canvas.setPageRotation(90)
canvas.rotate(90)
text = canvas.beginText(60, -80)
text.setFont("Times-Roman", 12)
for line in (
    "Hinweise zu Ihrem Konto",
    "Bitte prüfen Sie die Buchungen innerhalb von sechs Wochen.",
    "Einwendungen richten Sie schriftlich an die Filiale.",
    "Guthaben sind bis zu der gesetzlichen Höhe geschützt.",
):
    text.textLine(line)
canvas.drawText(text)
canvas.showPage()
canvas.save()
