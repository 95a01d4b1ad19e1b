from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_fill_email_key")]
    operations = [migrations.RunSQL("ALTER TABLE no_such_table ADD COLUMN stock integer")]
