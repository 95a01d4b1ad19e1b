from django.db import migrations, models


class Migration(migrations.Migration):
    """Only adds: the release before this one goes on as if nothing had happened."""

    dependencies = [("orders", "0001_initial")]
    operations = [
        migrations.AddField("customer", "email_key", models.CharField(max_length=320, null=True, db_index=True)),
    ]
