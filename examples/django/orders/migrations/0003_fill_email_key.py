from django.db import migrations
from django.db.models import F
from django.db.models.functions import Lower


def fill(apps, schema_editor):
    apps.get_model("orders", "Customer").objects.filter(email_key=None).update(email_key=Lower(F("email")))


class Migration(migrations.Migration):
    """A data migration. Run twice, it does nothing the second time."""

    dependencies = [("orders", "0002_customer_email_key")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
